"""Make the pictures in docs/pictures, of the demo. Run: python tests/make_doc_pictures.py

The window's themes are drawn as the window draws them; the report is shown by a headless Chromium.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from browser import browser
from numpy.typing import NDArray

from mouth_live.realtime import Analysis, analyze
from mouth_live.realtime.commands.demo_clip import DEMO_CLIP
from mouth_live.realtime.sinks.drawing.overlay import Overlay
from mouth_live.realtime.sinks.drawing.themes import THEMES
from mouth_live.realtime.sinks.window.keys import draw_keys

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"
THEMES_PICTURE, REPORT_PICTURE = FOLDER / "themes.webp", FOLDER / "report.webp"
MOMENT = 5.9  # s of the clip: the mouth is wide open after it has talked
QUALITY = 80  # of 100
GAP = 6  # px between the pictures
REPORT_SIZE = (1120, 840)  # px of the browser's window

Picture = NDArray[np.uint8]


def themes_picture(analyses: list[Analysis]) -> Picture:
    """The window with each theme, two by two, (966, 1286, 3) uint8 BGR; the first with the keys that h shows."""
    past = [analysis for analysis in analyses if analysis.frame.time <= MOMENT]
    pictures: list[Picture] = []
    for theme in THEMES:
        overlay = Overlay(theme)
        for analysis in past:  # the debug theme draws the last seconds
            drawn = overlay.draw(analysis, rate=25.0, dropped=0)
        pictures.append(drawn)
    draw_keys(pictures[0], calibrates=True)
    tall, wide = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8), np.full((GAP, 2 * 640 + GAP, 3), 255, np.uint8)
    above, below = (np.hstack([pictures[n], tall, pictures[n + 1]]) for n in (0, 2))
    return np.vstack([above, wide, below])


def report_picture() -> Picture:
    """The demo's report with the cursor where the mouth is wide open, (h, w, 3) uint8 BGR."""
    program = [sys.executable, "-m", "mouth_live.realtime"]
    with TemporaryDirectory() as name, browser(*REPORT_SIZE) as page:
        folder = Path(name)
        for command in (["process", str(DEMO_CLIP)], ["report", "demo.csv", "--video", str(DEMO_CLIP)]):
            subprocess.run([*program, *command], cwd=folder, check=True)
        page.open(folder / "demo.report.html", "!!window.report && report.player.playable")
        page.value(f"report.player.go({MOMENT})")
        page.wait(f"Math.abs(report.player.video.currentTime - {MOMENT}) < 0.1 && !report.player.video.seeking")
        time.sleep(1)  # the player's sign that it seeks fades
        page.picture(folder / "report.png")
        return cv2.imread(str(folder / "report.png"))


def main() -> None:
    """Write both pictures."""
    FOLDER.mkdir(exist_ok=True)
    made = {THEMES_PICTURE: themes_picture(list(analyze(DEMO_CLIP))), REPORT_PICTURE: report_picture()}
    for path, picture in made.items():
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    main()

"""Make the README picture, an animation of the demo as the window shows it. Run: python tests/make_picture.py"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mouth_live.realtime import Analysis, analyze, draw
from mouth_live.realtime.commands.demo_clip import DEMO_CLIP

PICTURE = Path(__file__).parent / "demo.webp"
FIRST, LAST = 0.6, 7.2  # seconds of the clip: closed, slightly open, talking, wide open, closed
STEP = 2  # of the clip's frames, one is shown
QUALITY = 68  # of 100


def shown(analyses: list[Analysis]) -> list[Analysis]:
    """The demo's analyses that the animation shows."""
    return [a for a in analyses if FIRST <= a.frame.time <= LAST][::STEP]


def pictures(analyses: list[Analysis]) -> list[NDArray[np.uint8]]:
    """The frames of the animation, (420, 520, 3) uint8 BGR each, of all the demo's analyses."""
    return [np.ascontiguousarray(draw(analysis)[:420, 60:580]) for analysis in shown(analyses)]


def main() -> None:
    """Write tests/demo.webp."""
    analyses = list(analyze(DEMO_CLIP))
    animation = cv2.Animation()
    animation.frames = pictures(analyses)
    seconds = (LAST - FIRST) / len(animation.frames)
    animation.durations = np.full(len(animation.frames), round(1000 * seconds), np.int32)
    animation.loop_count = 0  # for ever
    cv2.imwriteanimation(str(PICTURE), animation, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    main()

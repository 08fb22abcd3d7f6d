"""Make the picture of the live page in docs/serve.md, with the demo as the camera.

Run: python tests/make_page_picture.py
"""

import base64
import subprocess
import tempfile
import time
from pathlib import Path

from browser import browser
from conftest import REPOSITORY
from served import program
from talking import UdpReceiver

from mouth_live.realtime.commands.demo_clip import DEMO_CLIP

PICTURE = REPOSITORY / "docs" / "pictures" / "page.jpg"
WIDTH, HEIGHT = 1280, 900  # pixels of the browser's window
SECONDS = 26.0  # until the curves are nearly full
TALKING = "live.faces.get(0).isOn('activity') && live.faces.get(0).last.openness > 0.4"
QUALITY = 82  # of 100


def main() -> None:
    """Write docs/pictures/page.jpg."""
    with tempfile.TemporaryDirectory() as folder, UdpReceiver() as app:
        clip = Path(folder, "demo.mp4")
        repeat = ["ffmpeg", "-v", "error", "-stream_loop", "9", "-i", DEMO_CLIP, "-c", "copy", clip]
        subprocess.run(list(map(str, repeat)), check=True)
        options = ("--camera", clip, "--save", "desk.toml", "--to", f"osc://127.0.0.1:{app.port}?preset=vrchat")
        with program(Path(folder), *options, MOUTH_LIVE_CONFIG=folder) as served, browser(WIDTH, HEIGHT) as page:
            page.go(served.address, "!!window.live && live.faces.has(0)")
            time.sleep(SECONDS)
            page.key("r", "r")  # the names of a take, and not a folder of this machine
            time.sleep(4)
            page.wait(TALKING)
            shot = page.call("Page.captureScreenshot", format="jpeg", quality=QUALITY, captureBeyondViewport=True)
    PICTURE.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()

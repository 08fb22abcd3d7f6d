"""Make the README picture, three frames of the demo as the window shows them. Run: python tests/make_picture.py"""

from pathlib import Path

import cv2
import numpy as np

from mouth_live.realtime import analyze
from mouth_live.realtime.commands.demo_clip import DEMO_CLIP
from mouth_live.realtime.sinks.overlay import draw

MOMENTS = (0.4, 1.6, 6.0)  # seconds: closed, slightly open, wide open


def main() -> None:
    """Write tests/demo.jpg."""
    analyses = list(analyze(DEMO_CLIP))
    shown = [min(analyses, key=lambda a: abs(a.frame.time - moment)) for moment in MOMENTS]
    parts = [draw(analysis, rate=None, dropped=None)[:400, 120:520] for analysis in shown]
    cv2.imwrite(str(Path(__file__).parent / "demo.jpg"), np.hstack(parts), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()

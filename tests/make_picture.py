"""Make the README picture, three frames of the demo as the window shows them. Run: python tests/make_picture.py"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mouth_live.realtime import Analysis, analyze, draw
from mouth_live.realtime.commands.demo_clip import DEMO_CLIP

PICTURE = Path(__file__).parent / "demo.jpg"
MOMENTS = (0.4, 1.6, 6.0)  # seconds: closed, slightly open, wide open


def shown(analyses: list[Analysis]) -> list[Analysis]:
    """The demo's analyses that the picture shows."""
    return [min(analyses, key=lambda analysis: abs(analysis.frame.time - moment)) for moment in MOMENTS]


def picture(analyses: list[Analysis]) -> NDArray[np.uint8]:
    """The picture, (400, 1200, 3) uint8 BGR, of the demo's analyses."""
    return np.hstack([draw(analysis, rate=None, dropped=None)[:400, 120:520] for analysis in shown(analyses)])


def main() -> None:
    """Write tests/demo.jpg."""
    cv2.imwrite(str(PICTURE), picture(list(analyze(DEMO_CLIP))), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()

"""A second face detector: mediapipe's, with the same model file as ours. Optional, slower, there to compare with.

Its points lie up to half a cell of the network's 192x192 input (1.7 pixels in a frame 640 wide) to the lower right of
ours, because it samples the frame without the half-pixel shift; on the same 192x192 pixels the two agree to 0.1 pixel.

What it sends: mediapipe 1.2.2 looks up a Google logging host and posts use data to it (version, operating system,
timings, frame counts) a minute after a Task starts, if frames come in, and again when the Task is closed, also by
Python when it is forgotten. It has no switch against that. The Task made here is never closed, so that work of less
than a minute sends nothing; its native memory goes back when the process ends. Longer work does send: a warning is
logged before the Task starts.
"""

import logging
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import MissingExtraError, ModelError
from .face import Face
from .light import well_lit
from .weights_file import DETECTOR, load_weights

log = logging.getLogger("mouth_live")

NETWORK_WARNING = (
    "the mediapipe backend: mediapipe sends use data (its version, the system, timings, frame counts; no pictures) to "
    "a Google logging host when it runs for a minute or more, and has no switch against it; block the network, or use "
    "the built-in detector, where that matters"
)
SUPPRESSION_IOU = 0.3  # as in our own detector
KEYPOINTS = 6


class _Detection(Protocol):
    """What is used of mediapipe's Detection."""

    bounding_box: Any
    keypoints: list[Any]
    categories: list[Any]


class MediaPipeFaces:
    """Full-range BlazeFace run by mediapipe's FaceDetector Task on the CPU.

    Make one and keep it: each holds about 13 MB until the process ends (see the module's text).
    """

    def __init__(self, min_score: float = 0.5) -> None:
        """Warn about what mediapipe sends, then start it.

        Args:
            min_score: faces below this score (between 0 and 1) are not returned.

        Raises:
            MissingExtraError: mediapipe is not installed.
            ModelError: the weights are missing or damaged, or mediapipe cannot start.
        """
        content = load_weights(DETECTOR, "detection").content
        self._mediapipe = _imported("mediapipe")
        tasks = _imported("mediapipe.tasks.python")
        vision = _imported("mediapipe.tasks.python.vision")
        log.warning(NETWORK_WARNING)
        options = vision.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_buffer=content),
            min_detection_confidence=min_score,
            min_suppression_threshold=SUPPRESSION_IOU,
        )
        try:
            self._task: Any = vision.FaceDetector.create_from_options(options)
        except (OSError, RuntimeError, ValueError) as error:  # OSError: a system library is missing
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(
                f"mediapipe cannot start ({reason}); a headless Debian needs: apt install libegl1 libgles2"
            ) from None
        self._task.close = _stay_open  # closing sends at once, and the Task's own __del__ calls close() too

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Detect the faces in one pass over the whole picture.

        Args:
            image: (h, w, 3) uint8, BGR.

        Returns:
            The faces, best score first. Their boxes are in whole pixels and, unlike those of our own detector, end at
            the picture's border: mediapipe rounds them down and clips them.
        """
        pixels = well_lit(cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=pixels)
        size = (image.shape[1], image.shape[0])
        faces = [_to_face(detection, size) for detection in self._task.detect(picture).detections]
        return sorted(faces, key=lambda face: -face.score)


def _imported(module: str) -> ModuleType:
    """Import a module of mediapipe; only here, because mediapipe is optional and heavy."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "mediapipe":
            raise  # mediapipe is there but broken: its own message names what it lacks
        raise MissingExtraError("the mediapipe backend", "mediapipe") from None


def _stay_open() -> None:
    """Do nothing in place of the Task's close()."""


def _to_face(detection: _Detection, size: tuple[int, int]) -> Face:
    """Convert mediapipe's detection, whose key points are shares of the picture's (width, height)."""
    box = detection.bounding_box
    # Its order is that of the network, and so ours: right eye, left eye, nose tip, mouth, right ear, left ear.
    points = np.array([(point.x, point.y) for point in detection.keypoints[:KEYPOINTS]], np.float32)
    return Face(
        (float(box.origin_x), float(box.origin_y), float(box.width), float(box.height)),
        points * np.array(size, np.float32),
        float(detection.categories[0].score),
    )

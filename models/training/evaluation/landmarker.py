"""Mediapipe's FaceLandmarker on the same faces: the method to compare with (extra ``mediapipe``).

Openness is the gap between its inner lips over the distance between the eye centres, mapped as people's labels are.
Source: MediaPipe face mesh topology; inner lips 13-14, 82-87, 312-317, eye corners 33, 133 and 362, 263.
"""

import importlib
from math import nan
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, MissingExtraError
from ...face import Face, iou
from ...progress_bar import progress_bar
from ...scale import openness_from_gap_ratio
from ..lip_points import MESH, gap_ratio
from .readings import FoundSubject
from .subjects import Subjects

PADDING = 0.5  # of the picture's size on each side, for the second pass, which finds a face that fills it
MOST_FACES = 5
MIN_OVERLAP = 0.2  # of the landmarks' box and the face box


def read_landmarks(subjects: Subjects, found: list[FoundSubject], task_file: Path) -> NDArray[np.float64]:
    """Read the openness of each face by the landmarker, (n,) float64; NaN where it does not find the face.

    Args:
        subjects: the faces' pictures.
        found: the faces as they were found, to choose among the landmarker's; for a missed one its largest is taken.
        task_file: mediapipe's ``face_landmarker.task``.

    Raises:
        MissingExtraError: mediapipe is not installed.
        DataError: the file cannot be read, or a picture.
    """
    values = np.full(len(found), nan)
    with _landmarker(task_file) as landmarker:
        pictures = subjects.pictures(range(len(found)))
        for index, image in progress_bar(pictures, "landmarker", "faces", len(found)):
            meshes = _meshes(landmarker, image) or _meshes(landmarker, image, PADDING)
            mesh = _meant(meshes, found[index].face)
            if mesh is not None:
                values[index] = openness_from_gap_ratio(float(gap_ratio(mesh[None, list(MESH)].astype(np.float32))[0]))
    return values


def _landmarker(task_file: Path) -> Any:  # noqa: ANN401
    try:
        base = importlib.import_module("mediapipe.tasks.python.core.base_options")
        vision = importlib.import_module("mediapipe.tasks.python.vision")
    except ModuleNotFoundError:
        raise MissingExtraError("comparing with mediapipe's landmarker anew", "mediapipe") from None
    try:
        content = task_file.read_bytes()
        options = vision.FaceLandmarkerOptions(
            base_options=base.BaseOptions(model_asset_buffer=content), num_faces=MOST_FACES
        )
        return vision.FaceLandmarker.create_from_options(options)
    except OSError as error:
        raise DataError(
            f"{task_file}: cannot read it ({error.strerror}); --landmarker takes face_landmarker.task"
        ) from None
    except (RuntimeError, ValueError) as error:
        raise DataError(f"{task_file}: mediapipe cannot run it ({str(error).splitlines()[0]})") from None


def _meshes(landmarker: Any, image: NDArray[np.uint8], padding: float = 0.0) -> list[NDArray[np.float64]]:  # noqa: ANN401
    """Return the landmarks, (478, 2) in pixels, of each face in the picture, padded by a part of its size."""
    mediapipe = importlib.import_module("mediapipe")
    height, width = image.shape[:2]
    down, right = round(height * padding), round(width * padding)
    padded = cv2.copyMakeBorder(image, down, down, right, right, cv2.BORDER_CONSTANT)
    picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=cv2.cvtColor(padded, cv2.COLOR_BGR2RGB))
    scale, shift = np.array(padded.shape[1::-1], np.float64), np.array([right, down])
    found = landmarker.detect(picture).face_landmarks
    return [np.array([(p.x, p.y) for p in face], np.float64) * scale - shift for face in found]


def _meant(meshes: list[NDArray[np.float64]], face: Face | None) -> NDArray[np.float64] | None:
    """Return the landmarker's face that overlaps most with the face, or its largest where none is known."""
    boxes = [(*mesh.min(axis=0).tolist(), *np.ptp(mesh, axis=0).tolist()) for mesh in meshes]
    if not boxes:
        return None
    if face is None:
        return meshes[int(np.argmax([box[2] for box in boxes]))]
    overlaps = [iou((box[0], box[1], box[2], box[3]), face.box) for box in boxes]
    best = int(np.argmax(overlaps))
    return meshes[best] if overlaps[best] >= MIN_OVERLAP else None

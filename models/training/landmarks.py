"""Lip points of a landmark model, as further teaching for the compact network; an optional step before training.

    python -m mouth_live.models.training.landmarks FACES --model face_landmarker.task

writes ``landmarks.npz`` into the current folder; ``mouth-live train --landmarks landmarks.npz`` uses it. It needs the
extra ``mediapipe``, which reports its use over the network when it is closed, and its model file, which is not shipped.
20,000 pictures take about 8 minutes.
Source: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs".
"""

import argparse
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import aligned_square
from ..errors import DataError, MissingExtraError
from ..face import LEFT_EYE, MOUTH, RIGHT_EYE, Face
from ..faces import FaceFinder
from .data import LabelledFace, read_covered, read_labels
from .patches import PATCH_REGION, PATCH_SIZE, meant_face

MIDDLE = (13, 14, 0, 17, 1, 2, 152)
"""Mesh points on the middle line: inner lips, outer lips, nose, chin."""

PAIRS = (
    (61, 291), (78, 308), (82, 312), (81, 311), (80, 310), (87, 317), (178, 402), (88, 318),
    (37, 267), (39, 269), (84, 314), (181, 405), (98, 327), (172, 397),
)  # fmt: skip
"""Mesh points that mirror each other: lips, nostrils, jaw; the two eye centres follow as a pair of their own."""

POINTS = len(MIDDLE) + 2 * len(PAIRS) + 2

MIRRORED = np.array([*range(len(MIDDLE)), *(i for first in range(len(MIDDLE), POINTS, 2) for i in (first + 1, first))])
"""Where each point is found in a mirrored picture."""

JAW_OPEN = 25  # among the blend shapes
SAME_FACE = 0.3  # of the face's size: how far the landmark model's eyes and mouth may be from the detector's


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """A landmark model's points of labelled faces.

    Attributes:
        known: (n,) bool; the other rows are zeros.
        points: (n, POINTS, 2) float32, in pixels of the face's patch, pixel centres at whole numbers.
        pose: (n, 3) float32, jaw opening 0..1, turn and nod of the head in radians.
    """

    known: NDArray[np.bool_]
    points: NDArray[np.float32]
    pose: NDArray[np.float32]

    def chosen(self, rows: list[int]) -> "Landmarks":
        """Those of the faces at the indices."""
        return Landmarks(self.known[rows], self.points[rows], self.pose[rows])


def no_landmarks(count: int) -> Landmarks:
    """Landmarks of faces of which none is known."""
    return Landmarks(np.zeros(count, bool), np.zeros((count, POINTS, 2), np.float32), np.zeros((count, 3), np.float32))


def load_landmarks(path: Path, folder: Path, faces: list[LabelledFace]) -> Landmarks:
    """The landmarks of the faces, from a file that this module wrote.

    Args:
        path: ``landmarks.npz``.
        folder: the labels' folder; the file names the pictures relative to it.
        faces: the labels.

    Raises:
        DataError: the file cannot be read.
    """
    found = no_landmarks(len(faces))
    try:
        with np.load(path) as stored:
            rows = {str(name): i for i, name in enumerate(stored["names"])}
            points, pose = stored["points"], stored["pose"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a landmarks file ({error}); make it with the module landmarks") from None
    for i, face in enumerate(faces):
        row = rows.get(face.file.relative_to(folder).as_posix())
        if row is not None:
            found.known[i], found.points[i], found.pose[i] = True, points[row], pose[row]
    return found


def to_patch(points: NDArray[np.float32], face: Face) -> NDArray[np.float32]:
    """Points of a picture, (n, 2) in pixels, as points of the face's patch."""
    square = np.vstack([aligned_square(face.keypoints), [0, 0, 1]])
    inside = (np.linalg.inv(square) @ np.vstack([points.T, np.ones(len(points))]))[:2].T
    origin = np.array([PATCH_REGION.left, PATCH_REGION.top])
    side = np.array([PATCH_REGION.right, PATCH_REGION.bottom]) - origin
    return ((inside - origin) / side * PATCH_SIZE - 0.5).astype(np.float32)


def mesh_points(mesh: NDArray[np.float32]) -> NDArray[np.float32]:
    """The (POINTS, 2) that are used, of a face's (478, 2) mesh."""
    eyes = [(mesh[33] + mesh[133]) / 2, (mesh[362] + mesh[263]) / 2]
    return np.stack([*(mesh[i] for i in MIDDLE), *(mesh[i] for pair in PAIRS for i in pair), *eyes])


def _same_face(points: NDArray[np.float32], face: Face) -> bool:
    eyes, mouth = points[-2:].mean(axis=0), points[:2].mean(axis=0)
    keypoints = face.keypoints
    size = max(float(np.linalg.norm(points[-1] - points[-2])), float(np.linalg.norm(mouth - eyes)), 1.0)
    off = [eyes - keypoints[[RIGHT_EYE, LEFT_EYE]].mean(axis=0), mouth - keypoints[MOUTH]]
    return max(float(np.linalg.norm(o)) for o in off) < SAME_FACE * size


class _Landmarker:
    """mediapipe's FaceLandmarker on still pictures, padded so that faces which fill them are found."""

    def __init__(self, model: Path) -> None:
        try:
            tasks: Any = importlib.import_module("mediapipe.tasks.python")
            vision: Any = importlib.import_module("mediapipe.tasks.python.vision")
        except ModuleNotFoundError:
            raise MissingExtraError("reading landmarks", "mediapipe") from None
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(model)),
            num_faces=3,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def faces(self, image: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Points (POINTS, 2) in pixels and pose (3,) of each face of a BGR picture."""
        mediapipe: Any = importlib.import_module("mediapipe")
        height, width = image.shape[0] // 2, image.shape[1] // 2
        padded = cv2.copyMakeBorder(image, height, height, width, width, cv2.BORDER_CONSTANT)
        rgb = cv2.cvtColor(padded, cv2.COLOR_BGR2RGB)
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)
        result = self._landmarker.detect(picture)
        size, edge = np.array(padded.shape[1::-1]), np.array([width, height])
        for mesh, shapes, pose in zip(
            result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
        ):
            at = np.array([(p.x, p.y) for p in mesh]) * size - edge
            turn, nod = (float(np.arcsin(np.clip(v, -1, 1))) for v in (pose[0, 2], -pose[1, 2]))
            yield mesh_points(at.astype(np.float32)), np.array([shapes[JAW_OPEN].score, turn, nod], np.float32)


def read_landmarks(folder: Path, model: Path, out: Path) -> int:
    """Read the landmarks of all labelled faces of a folder into a file.

    Args:
        folder: with ``labels.csv`` and the pictures.
        model: ``face_landmarker.task``.
        out: the ``.npz`` file to write.

    Returns:
        How many faces have landmarks.

    Raises:
        DataError: a picture or the model file cannot be read.
        MissingExtraError: mediapipe is not installed.
    """
    from tqdm import tqdm

    if not model.exists():
        raise DataError(f"{model}: no such file; give mediapipe's face_landmarker.task with --model")
    landmarker, finder = _Landmarker(model), FaceFinder(check=False)
    names: list[str] = []
    points: list[NDArray[np.float32]] = []
    poses: list[NDArray[np.float32]] = []
    for label in tqdm([*read_labels(folder), *read_covered(folder)], desc="reading landmarks", disable=None):
        image = cv2.imread(str(label.file), cv2.IMREAD_COLOR)
        if image is None:
            raise DataError(f"{label.file}: cannot read this picture; labels.csv names it")
        picture = image.astype(np.uint8, copy=False)
        face = meant_face(finder.find(picture), label, picture.shape[:2])
        same = [read for read in landmarker.faces(picture) if face is not None and _same_face(read[0], face)]
        if face is not None and same:
            names.append(label.file.relative_to(folder).as_posix())
            points.append(to_patch(same[0][0], face))
            poses.append(same[0][1])
    part = out.with_suffix(".part.npz")
    np.savez(part, names=np.array(names), points=np.array(points), pose=np.array(poses))
    part.replace(out)
    return len(names)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Read a landmark model's lip points for training.")
    parser.add_argument("faces", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("--model", type=Path, required=True, help="mediapipe's face_landmarker.task")
    parser.add_argument("-o", "--output", type=Path, default=Path("landmarks.npz"))
    options = parser.parse_args()
    read_landmarks(options.faces, options.model, options.output)


if __name__ == "__main__":
    _main()

"""Read a face's landmarks with mediapipe in several views of it: upright, mirrored, turned, nearer and farther.

Source: Kartynnik et al. 2019, "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs".
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..crop import aligned_square, sample
from ..errors import DataError, MissingExtraError
from ..face import LEFT_EYE, MOUTH, RIGHT_EYE, Face
from .lip_points import MESH, MESH_MIRRORED, eye_centres
from .patches import PATCH_REGION, PATCH_SIZE

SHAPES = 52  # blend shapes that the model gives

CANVAS = 448  # pixels a side of a view
EXTENT = 1.4  # how many aligned squares fit into it at scale 1
SAME_FACE = 0.3  # of the face's size: how far the landmark model's eyes and mouth may be from the detector's


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How a face is shown to the landmark model.

    Attributes:
        turn: degrees.
        scale: of the face.
        mirrored: left and right exchanged.
    """

    turn: float = 0.0
    scale: float = 1.0
    mirrored: bool = False

    def to_square(self) -> NDArray[np.float64]:
        """Return the map (3, 3) from pixels of the view, centres at whole numbers, to the aligned square, 0..1."""
        size, angle = EXTENT / self.scale, np.deg2rad(self.turn)
        turned = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned[:, 0] *= -1 if self.mirrored else 1
        matrix = np.eye(3)
        matrix[:2, :2] = turned / CANVAS
        matrix[:2, 2] = 0.5 - matrix[:2, :2] @ np.full(2, (CANVAS - 1) / 2)
        return matrix


AUGMENTATIONS = (Augmentation(), Augmentation(mirrored=True), Augmentation(10, 1.2), Augmentation(-10, 0.85, True))
MESH_AUGMENTATIONS = (Augmentation(), Augmentation(mirrored=True), Augmentation(8, 1.2))  # of the older attention mesh


@dataclass(frozen=True, slots=True, eq=False)
class FaceLandmarks:
    """What the views of one face gave.

    Attributes:
        views: (views, len(MESH), 3) float32, in pixels of the face's patch, pixel centres at whole numbers; NaN where
            the face was not found.
        shapes: (SHAPES,) float32, the mean of the blend shapes, 0..1; (0,) of a model that gives none.
    """

    views: NDArray[np.float32]
    shapes: NDArray[np.float32]


_Meshes = list[tuple[NDArray[np.float32], NDArray[np.float32]]]


class FaceReader:
    """mediapipe's FaceLandmarker on still pictures.

    Attributes:
        views: what it is shown of each face.
    """

    views: tuple[Augmentation, ...] = AUGMENTATIONS

    def __init__(self, model: Path) -> None:
        """Start it.

        Args:
            model: ``face_landmarker.task``.

        Raises:
            DataError: no such file.
            MissingExtraError: mediapipe is not installed.
        """
        if not model.exists():
            raise DataError(f"{model}: no such file; give mediapipe's face_landmarker.task with --model")
        try:
            tasks: Any = importlib.import_module("mediapipe.tasks.python")
            vision: Any = importlib.import_module("mediapipe.tasks.python.vision")
        except ModuleNotFoundError:
            raise MissingExtraError("reading landmarks", "mediapipe") from None
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(model)), num_faces=2, output_face_blendshapes=True
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def read(self, image: NDArray[np.uint8], face: Face) -> FaceLandmarks | None:
        """Read the landmarks of a face; None where the model finds it in no view.

        Args:
            image: (h, w, 3) uint8, BGR.
            face: found in it.
        """
        square = aligned_square(face.keypoints)
        keypoints = to_patch(face.keypoints, face)
        views = np.full((len(self.views), len(MESH), 3), np.nan, np.float32)
        shapes: list[NDArray[np.float32]] = []
        for i, view in enumerate(self.views):
            # The middle of the picture's first pixel is at (0.5, 0.5), as `sample` wants it.
            shown = sample(image, square @ view.to_square(), (CANVAS, CANVAS))
            for mesh, shape in self._detect(shown):
                read = _in_patch(mesh, view)
                if np.isnan(views[i, 0, 0]) and _same_face(read, keypoints):
                    views[i] = read
                    shapes.append(shape)
        return FaceLandmarks(views, np.mean(shapes, axis=0)) if shapes else None

    def _detect(self, shown: NDArray[np.uint8]) -> _Meshes:
        """Return the mesh (478, 3) in pixels of the view, and the blend shapes, of each face."""
        mediapipe: Any = importlib.import_module("mediapipe")
        rgb = cv2.cvtColor(shown, cv2.COLOR_BGR2RGB)
        result = self._landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb))
        return [
            (_in_pixels(mesh), np.array([shape.score for shape in shapes], np.float32))
            for mesh, shapes in zip(result.face_landmarks, result.face_blendshapes, strict=True)
        ]


class MeshReader(FaceReader):
    """The attention mesh of mediapipe before 0.10.22, which errs otherwise than FaceLandmarker and has no blend shapes.

    Source: Grishchenko et al. 2020, "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time".
    """

    views = MESH_AUGMENTATIONS

    def __init__(self) -> None:
        """Start it.

        Raises:
            MissingExtraError: no mediapipe is installed.
            DataError: one is that no longer has this model.
        """
        try:
            solutions: Any = getattr(importlib.import_module("mediapipe"), "solutions", None)
        except ModuleNotFoundError:
            raise MissingExtraError("reading landmarks", "mediapipe") from None
        if solutions is None:
            raise DataError("this mediapipe has no attention mesh; make an environment with mediapipe==0.10.21 for it")
        self._mesh = solutions.face_mesh.FaceMesh(
            static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3
        )

    def _detect(self, shown: NDArray[np.uint8]) -> _Meshes:
        found = self._mesh.process(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB)).multi_face_landmarks or ()
        return [(_in_pixels(face.landmark), np.zeros(0, np.float32)) for face in found]


def _in_pixels(mesh: Any) -> NDArray[np.float32]:  # noqa: ANN401
    """Convert a model's points, shares of the view's sides, to its pixels."""
    return np.array([(p.x * CANVAS - 0.5, p.y * CANVAS - 0.5, p.z * CANVAS) for p in mesh], np.float32)


def to_patch(points: NDArray[np.float32], face: Face) -> NDArray[np.float32]:
    """Convert points of a picture, (n, 2) in pixels, to points of the face's patch."""
    square = np.vstack([aligned_square(face.keypoints), [0, 0, 1]])
    inside = (np.linalg.inv(square) @ np.vstack([points.T, np.ones(len(points))]))[:2].T
    return _square_to_patch(inside)


def _square_to_patch(inside: NDArray[np.float64]) -> NDArray[np.float32]:
    origin = np.array([PATCH_REGION.left, PATCH_REGION.top])
    side = np.array([PATCH_REGION.right, PATCH_REGION.bottom]) - origin
    return ((inside - origin) / side * PATCH_SIZE - 0.5).astype(np.float32)


def _in_patch(mesh: NDArray[np.float32], view: Augmentation) -> NDArray[np.float32]:
    """Return the kept points of a view's whole mesh, (len(MESH), 3) in pixels of the patch."""
    kept = mesh[list(MESH)].astype(np.float64)
    matrix = view.to_square()
    places = _square_to_patch(kept[:, :2] @ matrix[:2, :2].T + matrix[:2, 2])
    depth = kept[:, 2] * (EXTENT / view.scale / CANVAS / (PATCH_REGION.right - PATCH_REGION.left) * PATCH_SIZE)
    read = np.concatenate([places, depth[:, None]], axis=1).astype(np.float32)
    return read[MESH_MIRRORED] if view.mirrored else read


def _same_face(read: NDArray[np.float32], keypoints: NDArray[np.float32]) -> bool:
    """Return whether a reading is of the face with the detector's key points; both in pixels of the patch."""
    right, left = eye_centres(read)[:, :2]
    mouth = read[[MESH.index(13), MESH.index(14)], :2].mean(axis=0)
    eyes = (right + left) / 2
    size = max(float(np.linalg.norm(left - right)), float(np.linalg.norm(mouth - eyes)), 1.0)
    off = [eyes - keypoints[[RIGHT_EYE, LEFT_EYE]].mean(axis=0), mouth - keypoints[MOUTH]]
    return max(float(np.linalg.norm(o)) for o in off) < SAME_FACE * size

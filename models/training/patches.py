"""The mouths of labelled faces, cut out with room around them for variations, and kept for the next run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE, MOUTH_REGION, Region, crop_faces
from ..errors import DataError
from ..face import LEFT_EYE, RIGHT_EYE, Face
from ..faces import FaceFinder
from ..progress_bar import progress_bar
from ..whole_file import whole_file
from .data import LabelledFace, read_picture

PATCH_SIZE = 96
"""A patch is the crop with more around it, at the crop's own sharpness: its middle 60x60 is the crop."""

_grown = (PATCH_SIZE / CROP_SIZE - 1) / 2 * (MOUTH_REGION.right - MOUTH_REGION.left)
PATCH_REGION = Region(
    MOUTH_REGION.left - _grown, MOUTH_REGION.top - _grown, MOUTH_REGION.right + _grown, MOUTH_REGION.bottom + _grown
)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """The mouths of labelled faces that were found, in the labels' order.

    Attributes:
        faces: the n labels.
        images: (n, 96, 96, 3) uint8, RGB.
        missed: labels whose face the finder did not find.
    """

    faces: list[LabelledFace]
    images: NDArray[np.uint8]
    missed: list[LabelledFace]

    def chosen(self, indices: Iterable[int]) -> "Patches":
        """Return those at the indices; none of them missed."""
        picked = list(indices)
        return Patches([self.faces[i] for i in picked], self.images[picked], [])

    @property
    def openness(self) -> NDArray[np.float32]:
        """Return the labels' openness, (n,) float32, 0..1."""
        return np.array([face.openness for face in self.faces], np.float32)


def cut_patches(faces: Sequence[LabelledFace], check: bool = False) -> Patches:
    """Find each face and cut its mouth out, with room around it for variations.

    Args:
        faces: the labels.
        check: leave out what the face check takes for no face, as the pipeline does; these are faces for certain.

    Raises:
        DataError: a picture cannot be read, or no face was found at all.
    """
    finder = FaceFinder(check=check)
    found: list[LabelledFace] = []
    missed: list[LabelledFace] = []
    images: list[NDArray[np.uint8]] = []
    for label in progress_bar(faces, "cutting mouths", "faces"):
        image = read_picture(label.file)
        face = meant_face(finder.find(image), label, image.shape[:2])
        if face is None:
            missed.append(label)
            continue
        found.append(label)
        images.append(crop_faces(image, [face], PATCH_REGION, PATCH_SIZE)[0])
    if not found:
        raise DataError(f"no face found in any of the {len(faces)} labelled pictures")
    return Patches(found, np.stack(images), missed)


def meant_face(faces: Sequence[Face], label: LabelledFace, shape: tuple[int, ...]) -> Face | None:
    """Return the labelled face of those found: nearest to the marked eyes, else the largest near the middle.

    One found upside down, or lying where the marked eyes are upright, is not it: its crop does not show the mouth.

    Args:
        faces: found in the label's picture.
        label: the label.
        shape: (height, width) of the picture.
    """

    def distance(face: Face) -> float:
        """Return the distance of a face from where it should be, in face widths."""
        middle = (face.keypoints[RIGHT_EYE] + face.keypoints[LEFT_EYE]) / 2
        return float(np.linalg.norm(middle - target)) / max(face.box[2], 1.0)

    def upright(face: Face) -> bool:
        """Return whether its eyes lie as the marked ones do, to 60 degrees."""
        line = face.keypoints[LEFT_EYE] - face.keypoints[RIGHT_EYE]
        return float(line @ marked) > 0.5 * float(np.linalg.norm(line) * np.linalg.norm(marked))

    target = np.mean(label.eyes, axis=0) if label.eyes else np.array([shape[1] / 2, shape[0] * 0.4])
    if label.eyes:
        marked = np.subtract(label.eyes[1], label.eyes[0])
        near = [face for face in faces if distance(face) < 0.5 and upright(face)]
        return min(near, key=distance, default=None)
    return max(faces, key=lambda face: face.box[2] - 0.5 * face.box[2] * distance(face), default=None)


def load_patches(folder: Path, cache: Path, labels: Sequence[LabelledFace]) -> Patches:
    """Load the patches of the labels from the cache file if it holds just these; else cut and keep them there.

    Args:
        folder: the labels' folder; the cache names the pictures relative to it.
        cache: a ``.npz`` file; another one's content is replaced.
        labels: what to cut.

    Raises:
        DataError: a picture cannot be read, no face was found at all, or the cache cannot be written.
    """
    names = np.array([str(label.file.relative_to(folder)) for label in labels])
    return _cached(cache, names, labels) or _cut_and_kept(cache, names, labels)


def _cached(cache: Path, names: NDArray[np.str_], labels: Sequence[LabelledFace]) -> Patches | None:
    try:
        with cache.open("rb") as file, np.load(file) as stored:
            if not np.array_equal(stored["names"], names):
                return None
            found: list[bool] = stored["found"].tolist()
            images: NDArray[np.uint8] = stored["images"]
    except (OSError, ValueError, KeyError, BadZipFile):  # missing, or left half-written
        return None
    pairs = list(zip(labels, found, strict=True))
    return Patches([label for label, ok in pairs if ok], images, [label for label, ok in pairs if not ok])


def _cut_and_kept(cache: Path, names: NDArray[np.str_], labels: Sequence[LabelledFace]) -> Patches:
    patches = cut_patches(labels)
    lost = {label.file for label in patches.missed}
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{cache.parent}: cannot make this folder ({error.strerror})") from None
    with whole_file(cache) as part:
        np.savez(part, names=names, found=np.array([label.file not in lost for label in labels]), images=patches.images)
    return patches

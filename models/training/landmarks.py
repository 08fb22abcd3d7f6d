"""A landmark model's points of labelled faces, as further teaching for the compact network; an optional step before it.

    python -m mouth_live.models.training.landmarks FACES --model face_landmarker.task

writes ``landmarks.npz`` into the current folder; ``mouth-live train --landmarks landmarks.npz`` uses it. It needs the
extra ``mediapipe``, which reports its use over the network when it is closed, and its model file, which is not shipped.
Each face is read in several views, for the mean of them is more exact than one. See ``landmarks_reading.py``.

    python -m mouth_live.models.training.landmarks FACES --attention-mesh -o mesh.npz

reads three views more with the model of older mediapipe (0.10.21, in an environment of its own, for it needs an older
numpy); ``train --landmarks landmarks.npz --landmarks mesh.npz`` uses both, and does better.
"""

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..faces import FaceFinder
from ..progress_bar import progress_bar
from ..whole_file import whole_file
from .data import LabelledFace, read_covered, read_labels, read_picture
from .landmarks_reading import FaceReader, MeshReader
from .lip_points import MESH, POINTS, network_points
from .patches import meant_face

FAR = 6.0  # patch pixels: a view that differs so much from the middle one saw another thing


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """A landmark model's points of n labelled faces.

    Attributes:
        known: (n,) bool; the other rows are zeros.
        points: (n, POINTS, 2) float32, mean of the views, in pixels of the face's patch, pixel centres at whole
            numbers; ``lip_points.py`` lists which they are.
        readings: (n, views, len(MESH), 3) float32, what each view read, in the same pixels, the third number the
            depth; the mean of the other views where one failed.
        shapes: (n, shapes) float32, the blend shapes, 0..1, of the models that give them.
    """

    known: NDArray[np.bool_]
    points: NDArray[np.float32]
    readings: NDArray[np.float32]
    shapes: NDArray[np.float32]

    def chosen(self, rows: list[int]) -> "Landmarks":
        """Return those of the faces at the indices."""
        return Landmarks(self.known[rows], self.points[rows], self.readings[rows], self.shapes[rows])


def no_landmarks(count: int, views: int = 1, shapes: int = 0) -> Landmarks:
    """Make landmarks of faces of which none is known."""
    readings = np.zeros((count, views, len(MESH), 3), np.float32)
    points = np.zeros((count, POINTS, 2), np.float32)
    return Landmarks(np.zeros(count, bool), points, readings, np.zeros((count, shapes), np.float32))


def load_landmarks(paths: Sequence[Path], folder: Path, faces: list[LabelledFace]) -> Landmarks:
    """Load the landmarks of the faces, from files that this module wrote: all views of all of them.

    Args:
        paths: ``landmarks.npz`` and the like.
        folder: the labels' folder; the files name the pictures relative to it.
        faces: the labels.

    Raises:
        DataError: a file cannot be read.
    """
    names = [face.file.relative_to(folder).as_posix() for face in faces]
    parts = [_of_names(path, names) for path in paths]
    readings, shapes = (np.concatenate([part[k] for part in parts], axis=1) for k in (0, 1))
    known = ~np.isnan(readings).all(axis=(1, 2, 3))
    found = no_landmarks(len(faces), readings.shape[1], shapes.shape[1])
    found.known[:] = known
    if known.any():
        found.readings[known], found.shapes[known] = agreeing(readings[known]), shapes[known]
    found.points[:] = network_points(found.readings.mean(axis=1))
    return found


def _of_names(path: Path, names: list[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Load a file's readings (n, views, len(MESH), 3) of the pictures, NaN where it has none, and blend shapes."""
    try:
        with np.load(path) as stored:
            rows = {str(name): i for i, name in enumerate(stored["names"])}
            readings, shapes = stored["readings"], stored["shapes"]
        readings = readings.reshape(len(rows), -1, len(MESH), 3)
        found = np.full((len(names), *readings.shape[1:]), np.nan, np.float32)
        blended = np.zeros((len(names), shapes.shape[1]), np.float32)
    except (OSError, ValueError, KeyError, IndexError, BadZipFile) as error:
        raise DataError(f"{path}: not a landmarks file ({error}); make it with the module landmarks") from None
    for i, name in enumerate(names):
        if name in rows:
            found[i], blended[i] = readings[rows[name]], shapes[rows[name]]
    return found, blended


def agreeing(readings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace the readings that failed (NaN) or saw another thing by the mean of the face's others.

    Args:
        readings: (n, views, len(MESH), 3) float32; at least one view of each face is there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no number
        middle: NDArray[np.float32] = np.nanmedian(readings[..., :2], axis=1, keepdims=True)
        off = np.abs(readings[..., :2] - middle).mean(axis=(2, 3))
        kept = np.where((off > FAR)[:, :, None, None], np.float32(np.nan), readings)
        mean: NDArray[np.float32] = np.nanmean(kept, axis=1, keepdims=True)
        every: NDArray[np.float32] = np.nanmean(readings, axis=1, keepdims=True)
    mean = np.where(np.isnan(mean), every, mean)  # two that contradict each other
    return np.where(np.isnan(kept), mean, kept).astype(np.float32)


def write_landmarks(folder: Path, reader: FaceReader, out: Path) -> int:
    """Read the landmarks of all labelled faces of a folder into a file.

    Args:
        folder: with ``labels.csv`` and the pictures.
        reader: the landmark model.
        out: the ``.npz`` file to write.

    Returns:
        How many faces have landmarks.

    Raises:
        DataError: a picture cannot be read, or ``out`` cannot be written.
    """
    finder = FaceFinder(check=False)
    names: list[str] = []
    readings: list[NDArray[np.float32]] = []
    shapes: list[NDArray[np.float32]] = []
    for label in progress_bar([*read_labels(folder), *read_covered(folder)], "reading landmarks", "faces"):
        image = read_picture(label.file)
        face = meant_face(finder.find(image), label, image.shape[:2])
        read = reader.read(image, face) if face is not None else None
        if read is not None:
            names.append(label.file.relative_to(folder).as_posix())
            readings.append(read.views)
            shapes.append(read.shapes)
    with whole_file(out) as part:
        np.savez(part, names=np.array(names), readings=np.array(readings), shapes=np.array(shapes))
    return len(names)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Read a landmark model's points of labelled faces for training.")
    parser.add_argument("faces", type=Path, help="folder with labels.csv and the pictures")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", type=Path, help="mediapipe's face_landmarker.task")
    which.add_argument("--attention-mesh", action="store_true", help="read with older mediapipe's own model")
    parser.add_argument("-o", "--output", type=Path, default=Path("landmarks.npz"))
    options = parser.parse_args()
    reader = MeshReader() if options.attention_mesh else FaceReader(options.model)
    write_landmarks(options.faces, reader, options.output)


if __name__ == "__main__":
    _main()

"""What the face check learns from: faces, and what the detector takes for one.

Faces are the detections on the labelled pictures, masks and hands included: a covered mouth still belongs to a face.
Profiles come from photos of turned heads (``turned_faces.py``). Non-faces are detections, at a low score, on pictures
that hold no whole face (``faceless_pictures.py``); detections that lie across a face, because its picture was turned;
and squares laid next to, far inside or upside down over real faces. No video clip takes part, so that the clips stay
fit for a test.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..blazeface import BlazeFace
from ..crop import WHOLE_FACE, crop_faces
from ..errors import DataError
from ..face import Face, iou
from ..face_check import CHECK_SIZE
from ..faces import FaceFinder
from ..rolls import ROLLS, roll, turned, turned_back
from ..tiles import is_part_of
from .data import is_masked, read_label_rows, read_picture
from .faceless_pictures import faceless_pictures, scenes
from .turned_faces import MIN_SCORE, detected_views, read_turned

Image = NDArray[np.uint8]

HELD_OUT_SETS = ("helen", "mask_prajna", "habesha")
"""Sets that the face check is measured on and never trained on."""

SCENES = ("coffee", "chelsea", "rocket", "coins", "brick", "grass", "gravel", "page", "text", "moon", "color", "horse",
          "clock_motion", "hubble_deep_field", "motorcycle_left", "ihc", "retina", "logo", "cell", "colorwheel")  # fmt: skip  # noqa: E501
HELD_OUT_SCENES = ("motorcycle_right", "microaneurysms", "phantom")
NON_FACE_SCORE = 0.1  # detections from this score on, in a picture without a face, are false positives to learn from
JITTERS = 3  # crops of each face, its key points moved ...
MASKED_JITTERS = 6  # ... and of each covered one: they are few and easily taken for no face
TURNED_VIEWS = 16  # of each photo of a turned head: they are few too
ACROSS = 60.0  # degrees by which a detection's roll differs from the face's until it is none


@dataclass(frozen=True, slots=True)
class CheckData:
    """Crops of the whole aligned face, (n, 48, 48, 3) uint8 RGB.

    Attributes:
        faces: of the labelled pictures.
        turned: faces turned by 30 to 90 degrees; none where there are no such photos.
        others: non-faces.
    """

    faces: Image
    turned: Image
    others: Image


def collect(folder: Path, pictures: int, seed: int, held_out: bool, fold: int = 0) -> CheckData:
    """Collect crops of faces and of non-faces.

    Args:
        folder: the labelled faces (``labels.csv`` and the pictures); its test part is left out.
        pictures: how many of them to use, at most.
        seed: of the choice and the jitter.
        held_out: whether of the sets, scenes and turned photos that training never sees; else of all others.
        fold: the fifth of the turned photos that training never sees.

    Raises:
        DataError: the labels or a picture cannot be read, or no face is found.
        MissingExtraError: scikit-image or matplotlib is not installed.
    """
    rng = np.random.default_rng(seed)
    backgrounds = scenes(HELD_OUT_SCENES if held_out else SCENES)
    finder, detector = FaceFinder(check=False), BlazeFace(NON_FACE_SCORE)
    faces: list[Image] = []
    others: list[Image] = []
    images: list[Image] = []
    for row in _chosen_rows(folder, pictures, held_out, rng):
        image = read_picture(folder / row["file"])
        found = finder.detect(image) or finder.detect_padded(image)
        if not found:
            continue
        face = max(found, key=lambda f: f.box[2] * f.box[3])
        jitters = MASKED_JITTERS if is_masked(row) else JITTERS
        faces.append(_crops(image, [_jittered(face, 0.05, rng) for _ in range(jitters)]))
        others.append(_crops(image, _misplaced(face, image, rng) + _across(face, image, detector, rng)))
        images.append(image)
    if not images:
        raise DataError(f"{folder}: no face found in {_purpose(held_out)}")
    for image in faceless_pictures(images, backgrounds, rng, count=3 * len(images)):
        detections = [*detector.detect(image), _anywhere(image, rng)]
        others.append(_crops(image, [_jittered(d, 0.1, rng) for d in detections]))
    return CheckData(np.concatenate(faces), _turned(folder, held_out, fold, rng), np.concatenate(others))


def _turned(folder: Path, held_out: bool, fold: int, rng: np.random.Generator) -> Image:
    """Collect crops of turned faces: several views of each to learn from, or the photos as they are to measure on."""
    detector = BlazeFace(MIN_SCORE)
    crops = [np.empty((0, CHECK_SIZE, CHECK_SIZE, 3), np.uint8)]
    for photo in read_turned(folder):
        if photo.is_turned and (photo.fold == fold) == held_out:
            views = detected_views(photo, detector, 1 if held_out else TURNED_VIEWS, rng)
            crops += [_crops(image, [face]) for image, face in views]
    return np.concatenate(crops)


def _crops(image: Image, faces: list[Face]) -> Image:
    return crop_faces(image, faces, WHOLE_FACE, CHECK_SIZE)


def _chosen_rows(folder: Path, pictures: int, held_out: bool, rng: np.random.Generator) -> list[dict[str, str]]:
    """Choose rows of the labels at random, all covered mouths first."""
    rows = [
        row for row, _ in read_label_rows(folder) if (row["set"] in HELD_OUT_SETS) == held_out and row["part"] != "test"
    ]
    if not rows:
        raise DataError(f"{folder / 'labels.csv'}: there must be {_purpose(held_out)}")
    order: list[int] = rng.permutation(len(rows)).tolist()
    shuffled = [rows[i] for i in order]
    return sorted(shuffled, key=lambda row: not is_masked(row))[:pictures]


def _purpose(held_out: bool) -> str:
    sets = ", ".join(HELD_OUT_SETS)
    if held_out:
        return f"pictures of part train in the sets that the face check is measured on ({sets})"
    return f"pictures of part train in sets to train the face check on (others than {sets})"


def _jittered(face: Face, amount: float, rng: np.random.Generator) -> Face:
    """Move the key points by parts of the box: each by itself, and all together."""
    noise = rng.normal(0, amount / 2, (6, 2)) + rng.normal(0, amount, 2)
    return Face(face.box, (face.keypoints + noise * face.box[2]).astype(np.float32), face.score)


def _misplaced(face: Face, image: Image, rng: np.random.Generator) -> list[Face]:
    """Return squares that do not show the face as one: upside down, far inside it, next to it, or anywhere."""
    x, y, w, h = face.box
    centre = face.keypoints.mean(axis=0)
    turned = Face(face.box, (2 * centre - face.keypoints).astype(np.float32), 0)
    inside = Face(face.box, (centre + (face.keypoints - centre) * rng.uniform(0.2, 0.4)).astype(np.float32), 0)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.8)
    shift = np.array([np.cos(angle) * w, np.sin(angle) * h]) * far
    aside = Face((x + shift[0], y + shift[1], w, h), (face.keypoints + shift).astype(np.float32), 0)
    random = _anywhere(image, rng)
    return [turned, inside, aside] + ([random] if iou(random.box, face.box) < 0.1 else [])


def _across(face: Face, image: Image, detector: BlazeFace, rng: np.random.Generator) -> list[Face]:
    """Return what the detector takes for an upright face where the picture is turned by a quarter or a half.

    Its points lie in wrong places. The finder prefers the pass in which they are right, if they are better evidence.
    """
    quarters = int(rng.choice(ROLLS))
    height, width = image.shape[:2]
    detections = [turned_back(d, quarters, width, height) for d in detector.detect(turned(image, quarters))]
    return [d for d in detections if is_part_of(d, face) and abs((roll(d) - roll(face) + 180) % 360 - 180) > ACROSS]


def _anywhere(image: Image, rng: np.random.Generator) -> Face:
    """Return key points as of a face, at a random place, size and roll."""
    height, width = image.shape[:2]
    size: float = rng.uniform(0.08, 0.5) * min(height, width)
    x: float = rng.uniform(size, max(size + 1, width - size))
    y: float = rng.uniform(size, max(size + 1, height - size))
    plan = np.array([[-0.22, -0.2], [0.22, -0.2], [0, 0.05], [0, 0.28], [-0.45, -0.1], [0.45, -0.1]]) * size
    angle = rng.normal(0, 0.4)
    roll = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Face((x - size / 2, y - size / 2, size, size), (plan @ roll + (x, y)).astype(np.float32), 0)

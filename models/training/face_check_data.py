"""What the face check learns from: faces, and what the detector takes for one.

Faces are the claims of the detector on the labelled pictures, masks and hands included: a covered mouth still belongs
to a face. Non-faces are its claims, at a low score, on pictures that hold no whole face: labelled pictures cut into
tiles and shuffled, still lifes, textures and pages that scikit-image brings, drawn letters and shapes, each zoomed,
turned and mixed; and squares laid beside, far inside or upside down over real faces. No video clip takes part, so that
the clips stay fit for a test.
"""

# pyright: basic
# (keras, OpenCV and Pillow hand out values without types all through this file)

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..blazeface import BlazeFace
from ..crop import WHOLE_FACE, crop_faces
from ..face import Face, iou
from ..face_check import CHECK_SIZE
from ..faces import FaceFinder

Image = NDArray[np.uint8]

HELD_OUT_SETS = ("helen", "mask_prajna", "habesha")  # never trained on: the report's faces
SCENES = ("coffee", "chelsea", "rocket", "coins", "brick", "grass", "gravel", "page", "text", "moon", "color", "horse",
          "clock_motion", "hubble_deep_field", "motorcycle_left", "ihc", "retina", "logo", "cell", "colorwheel")  # fmt: skip  # noqa: E501
HELD_OUT_SCENES = ("motorcycle_right", "microaneurysms", "phantom")
CLAIM_SCORE = 0.1  # the detector's claims from here on count as its inventions
JITTERS = 3  # crops of each face, its key points moved ...
MASKED_JITTERS = 6  # ... and of each covered one: they are few and easily taken for no face


@dataclass(frozen=True, slots=True)
class CheckData:
    """Crops of the whole aligned face, (n, 48, 48, 3) uint8 RGB, faces and non-faces."""

    faces: Image
    others: Image


def collect(folder: Path, pictures: int, seed: int, held_out: bool) -> CheckData:
    """Crops of faces and of non-faces.

    Args:
        folder: the labelled faces (``labels.csv`` and ``images/``).
        pictures: how many of them to use.
        seed: of the choice and the jitter.
        held_out: of the sets and scenes that training never sees, or of all others.
    """
    rng = np.random.default_rng(seed)
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if (row["set"] in HELD_OUT_SETS) == held_out and row["part"] != "test"
        ]
    # All covered mouths take part.
    rows = [rows[i] for i in rng.permutation(len(rows))]
    chosen = sorted(rows, key=lambda row: row["note"] != "masked")[:pictures]
    finder, detector = FaceFinder(check=False), BlazeFace(CLAIM_SCORE)
    faces: list[Image] = []
    others: list[Image] = []
    images: list[Image] = []
    for row in chosen:
        image = _read(folder / row["file"])
        found = finder.find(image)
        if not found:
            continue
        face = max(found, key=lambda f: f.box[2] * f.box[3])
        jitters = MASKED_JITTERS if row["note"] == "masked" else JITTERS
        faces.append(crop_faces(image, [_jittered(face, 0.05, rng) for _ in range(jitters)], WHOLE_FACE, CHECK_SIZE))
        others.append(crop_faces(image, _misplaced(face, image, rng), WHOLE_FACE, CHECK_SIZE))
        images.append(image)
    scenes = [_read(path) for path in _scene_paths(HELD_OUT_SCENES if held_out else SCENES)]
    for image in _faceless(images, scenes, rng, count=3 * len(images)):
        claims = [*detector.detect(image), _anywhere(image, rng)]
        others.append(crop_faces(image, [_jittered(c, 0.1, rng) for c in claims], WHOLE_FACE, CHECK_SIZE))
    return CheckData(np.concatenate(faces), np.concatenate(others))


def _faceless(images: list[Image], scenes: list[Image], rng: np.random.Generator, count: int) -> Iterator[Image]:
    """Pictures without a whole face, (about 320 x 240) uint8 BGR."""
    fonts = _fonts()
    for n in range(count):
        picture = _cut(scenes[rng.integers(len(scenes))], rng)
        if n % 6 == 0:
            picture = _shuffled(images[rng.integers(len(images))], rng)
        elif n % 6 == 1:
            picture = _drawn(picture, rng)
        elif n % 6 > 2:
            picture = _lettered(picture, fonts, rng)
        if rng.random() < 0.3:
            picture = np.ascontiguousarray(np.rot90(picture, int(rng.integers(1, 4))))
        if rng.random() < 0.3:
            picture = np.clip(picture.astype(np.float32) * rng.uniform(0.3, 1.7, 3), 0, 255).astype(np.uint8)
        yield picture


def _shuffled(image: Image, rng: np.random.Generator) -> Image:
    """The picture cut into tiles too small for a face, in another order, each turned or flipped."""
    n = int(rng.integers(4, 7))
    square = cv2.resize(image, (n * 60, n * 60))
    tiles = square.reshape(n, 60, n, 60, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 60, 60, 3)
    tiles = np.stack([np.rot90(tile, int(rng.integers(4))) for tile in tiles[rng.permutation(n * n)]])
    return np.ascontiguousarray(tiles.reshape(n, n, 60, 60, 3).transpose(0, 2, 1, 3, 4).reshape(n * 60, n * 60, 3))


def _cut(scene: Image, rng: np.random.Generator) -> Image:
    """A random piece of a picture at a random zoom, 320x240."""
    height, width = scene.shape[:2]
    part = rng.uniform(0.15, 1.0)
    h, w = max(16, int(height * part)), max(16, int(width * part))
    y, x = rng.integers(0, max(1, height - h + 1)), rng.integers(0, max(1, width - w + 1))
    return cv2.resize(scene[y : y + h, x : x + w], (320, 240), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _drawn(picture: Image, rng: np.random.Generator) -> Image:
    """Discs, bars and lines on a plain, shaded or busy ground."""
    picture = _ground(picture, rng)
    for _ in range(rng.integers(1, 12)):
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        x, y = int(rng.integers(-20, 300)), int(rng.integers(0, 240))
        size = int(rng.integers(6, 70))
        kind = rng.integers(3)
        if kind == 0:
            axes = (size, max(2, int(size * rng.uniform(0.4, 1.0))))
            cv2.ellipse(picture, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(picture, (x, y), (x + size, y + int(rng.integers(4, 120))), colour, -1)
        else:
            end = (int(rng.integers(0, 320)), int(rng.integers(0, 240)))
            cv2.line(picture, (x, y), end, colour, int(rng.integers(1, 20)), cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 3)).astype(np.uint8)


def _lettered(picture: Image, fonts: list[Path], rng: np.random.Generator) -> Image:
    """Words as in titles and signs: any colour, shaded, rimmed, with a shadow, squeezed and turned."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    canvas = _ground(picture, rng).astype(np.float64)
    for _ in range(rng.integers(1, 4)):
        letters = "".join(
            chr(c) for c in rng.choice([*range(65, 91), *range(97, 123), *range(48, 58)], rng.integers(1, 11))
        )
        font = ImageFont.truetype(str(fonts[rng.integers(len(fonts))]), int(rng.integers(18, 170)))
        mask = Pillow.new("L", (320, 240))
        place = (int(rng.integers(-30, 220)), int(rng.integers(-30, 180)))
        ImageDraw.Draw(mask).text(place, letters, fill=255, font=font, stroke_width=int(rng.integers(0, 4)))
        squeeze = cv2.getRotationMatrix2D((160, 120), rng.normal(0, 20), 1) * np.array([[rng.uniform(0.6, 1.2)], [1]])
        inside = cv2.warpAffine(np.asarray(mask), squeeze, (320, 240)).astype(np.float32)
        rim = cv2.dilate(inside, np.ones((3, 3)), iterations=int(rng.integers(1, 7)))
        shadow = cv2.GaussianBlur(np.roll(rim, rng.integers(-5, 6, 2), (0, 1)), (0, 0), rng.uniform(1, 6))
        for layer, colour in ((shadow, rng.uniform(0, 255, 3)), (rim, rng.uniform(0, 200, 3)), (inside, _shading(rng))):
            cover = layer[..., None] / 255
            canvas = canvas * (1 - cover) + colour * cover
    return np.clip(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 3)), 0, 255).astype(np.uint8)


def _shading(rng: np.random.Generator) -> NDArray[np.float64]:
    """A colour that runs into another from top to bottom in some bands, often warm as skin is; (240, 1, 3) BGR."""
    top, bottom = rng.uniform(0, 255, (2, 3))
    if rng.random() < 0.5:
        top, bottom = (np.array([90, 140, 210]) * rng.uniform(0.4, 1.2) + rng.normal(0, 40, 3) for _ in range(2))
    ramp = (np.arange(240)[:, None] / rng.uniform(30, 240)) % 1
    return np.clip(top * (1 - ramp) + bottom * ramp, 0, 255)[:, None]


def _ground(picture: Image, rng: np.random.Generator) -> Image:
    """The picture itself or, mostly, a plain or shaded ground, 320x240."""
    if rng.random() < 0.3:
        return picture
    top, bottom = rng.uniform(0, 255, (2, 1, 1, 3))
    ramp = np.linspace(0, 1, 240)[:, None, None]
    return np.repeat(top * (1 - ramp) + bottom * ramp, 320, axis=1).astype(np.uint8)


def _fonts() -> list[Path]:
    """The letters' fonts: those that matplotlib brings."""
    import matplotlib

    return sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf"))


def _jittered(face: Face, amount: float, rng: np.random.Generator) -> Face:
    """The face with its key points moved by parts of its box, turned and scaled together."""
    noise = rng.normal(0, amount / 2, (6, 2)) + rng.normal(0, amount, 2)
    return Face(face.box, (face.keypoints + noise * face.box[2]).astype(np.float32), face.score)


def _misplaced(face: Face, image: Image, rng: np.random.Generator) -> list[Face]:
    """Squares over the picture that do not show its face as a face: beside it, far inside it, or upside down."""
    x, y, w, h = face.box
    centre = face.keypoints.mean(axis=0)
    turned = Face(face.box, (2 * centre - face.keypoints).astype(np.float32), 0)
    inside = Face(face.box, (centre + (face.keypoints - centre) * rng.uniform(0.2, 0.4)).astype(np.float32), 0)
    angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.9, 1.8)
    shift = np.array([np.cos(angle) * w, np.sin(angle) * h]) * far
    beside = Face((x + shift[0], y + shift[1], w, h), (face.keypoints + shift).astype(np.float32), 0)
    random = _anywhere(image, rng)
    return [turned, inside, beside] + ([random] if iou(random.box, face.box) < 0.1 else [])


def _anywhere(image: Image, rng: np.random.Generator) -> Face:
    """Key points as of a face, at a random place, size and roll."""
    height, width = image.shape[:2]
    size = rng.uniform(0.08, 0.5) * min(height, width)
    x, y = rng.uniform(size, max(size + 1, width - size)), rng.uniform(size, max(size + 1, height - size))
    plan = np.array([[-0.22, -0.2], [0.22, -0.2], [0, 0.05], [0, 0.28], [-0.45, -0.1], [0.45, -0.1]]) * size
    angle = rng.normal(0, 0.4)
    roll = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return Face((x - size / 2, y - size / 2, size, size), (plan @ roll + (x, y)).astype(np.float32), 0)


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, path
    return image.astype(np.uint8)


def _scene_paths(names: tuple[str, ...]) -> list[Path]:
    """Files of scikit-image's own pictures (those in its wheel: nothing is fetched)."""
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    return [path for path in sorted(folder.iterdir()) if path.stem in names and path.suffix in {".png", ".jpg"}]

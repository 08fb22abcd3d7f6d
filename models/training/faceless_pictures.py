"""Pictures that hold no whole face, from which the face check learns what the detector takes for one.

They are labelled pictures cut into tiles and shuffled, still lifes, textures and pages that scikit-image brings, and
drawn letters and shapes. Each is zoomed, turned and mixed.
"""

# pyright: basic
# (OpenCV and Pillow return values without types all through this file)

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from . import extra_packages
from .data import read_picture

Image = NDArray[np.uint8]


def faceless_pictures(
    images: list[Image], scenes: list[Image], rng: np.random.Generator, count: int
) -> Iterator[Image]:
    """Make pictures without a whole face.

    Args:
        images: labelled pictures, (h, w, 3) uint8 BGR, to shuffle.
        scenes: pictures without faces, (h, w, 3) uint8 BGR, to cut.
        rng: the random generator; the same seed gives the same pictures.
        count: how many.

    Yields:
        Pictures of about 320x240, (h, w, 3) uint8 BGR.
    """
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
    """Cut the picture into tiles too small for a face, put them in another order and turn each."""
    n = int(rng.integers(4, 7))
    square = cv2.resize(image, (n * 60, n * 60))
    tiles = square.reshape(n, 60, n, 60, 3).transpose(0, 2, 1, 3, 4).reshape(-1, 60, 60, 3)
    tiles = np.stack([np.rot90(tile, int(rng.integers(4))) for tile in tiles[rng.permutation(n * n)]])
    return np.ascontiguousarray(tiles.reshape(n, n, 60, 60, 3).transpose(0, 2, 1, 3, 4).reshape(n * 60, n * 60, 3))


def _cut(scene: Image, rng: np.random.Generator) -> Image:
    """Cut out a random piece of a picture at a random zoom, 320x240."""
    height, width = scene.shape[:2]
    part = rng.uniform(0.15, 1.0)
    h, w = max(16, int(height * part)), max(16, int(width * part))
    y, x = rng.integers(0, max(1, height - h + 1)), rng.integers(0, max(1, width - w + 1))
    return cv2.resize(scene[y : y + h, x : x + w], (320, 240), interpolation=cv2.INTER_AREA).astype(np.uint8)


def _drawn(picture: Image, rng: np.random.Generator) -> Image:
    """Draw discs, bars and lines on a plain, shaded or busy ground."""
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
    """Draw words as in titles and signs: any colour, shaded, rimmed, with a shadow, squeezed and turned."""
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
    """Return a colour that runs into another in some bands, often warm as skin is; (240, 1, 3) BGR."""
    top, bottom = rng.uniform(0, 255, (2, 3))
    if rng.random() < 0.5:
        top, bottom = (np.array([90, 140, 210]) * rng.uniform(0.4, 1.2) + rng.normal(0, 40, 3) for _ in range(2))
    ramp = (np.arange(240)[:, None] / rng.uniform(30, 240)) % 1
    return np.clip(top * (1 - ramp) + bottom * ramp, 0, 255)[:, None]


def _ground(picture: Image, rng: np.random.Generator) -> Image:
    """Return the picture itself or, mostly, a plain or shaded ground, 320x240."""
    if rng.random() < 0.3:
        return picture
    top, bottom = rng.uniform(0, 255, (2, 1, 1, 3))
    ramp = np.linspace(0, 1, 240)[:, None, None]
    return np.repeat(top * (1 - ramp) + bottom * ramp, 320, axis=1).astype(np.uint8)


def _fonts() -> list[Path]:
    """Return the fonts that matplotlib brings."""
    folder = extra_packages.matplotlib().get_data_path()
    return sorted(Path(folder, "fonts", "ttf").glob("*.ttf"))


def scenes(names: tuple[str, ...]) -> list[Image]:
    """Read scikit-image's own pictures of these names: those in its wheel, so nothing is fetched.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    folder = Path(extra_packages.skimage().__file__).parent / "data"
    files = [path for path in sorted(folder.iterdir()) if path.stem in names and path.suffix in {".png", ".jpg"}]
    return [read_picture(path) for path in files]

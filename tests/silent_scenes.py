"""Made video of a face that does not talk: it chews, smiles, yawns, drinks, or moves its head.

The mouth of the demo's portrait is warped along a curve as in make_demo.py. Chewing moves the chin too, a cup is drawn
for drinking, and a turning head is the portrait on a cylinder. Look at them with ``python tests/silent_scenes.py OUT``,
which writes a strip of pictures for each scene.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import make_demo as demo
import numpy as np

from mouth_live.realtime import Frame

RATE = 25.0
FINE = 2  # so much larger than the photo are the pictures between the mouth's warp and the frame
FACE_RADIUS = 78.0  # px of the photo: of the cylinder that the head turns as
CHEWS = 1.25  # a second: 20 frames each, so that most pictures are drawn once
STILL = 1.0  # s at rest before and after what a scene shows
Curve = Callable[[float], float]


def _zero(_: float) -> float:
    return 0.0


@dataclass(frozen=True)
class Scene:
    """What the face does at each time in seconds.

    Attributes:
        seconds: its length, with the rest before and after.
        openness: of the mouth, 0..1.
        ease: how far the smile is eased: 0.55 is a mouth at rest, 0 the photo's smile, below 0 a wider one.
        chin: how far the chin moves, in pixels of the photo.
        cup: how near a cup is, 0 (out of the picture) to 1 (at the lips).
        yaw: the turn of the head in degrees.
        roll: its tilt in degrees.
        down: how far it is moved down, in pixels of the picture.
        zoom: how large it is.
    """

    seconds: float
    openness: Curve = _zero
    ease: Curve = lambda _: 0.55
    chin: Curve = _zero
    cup: Curve = _zero
    yaw: Curve = _zero
    roll: Curve = _zero
    down: Curve = _zero
    zoom: Curve = lambda _: 1.0


def rise(time: float, begin: float, seconds: float) -> float:
    """From 0 to 1, smoothly, from ``begin`` on."""
    part = min(1.0, max(0.0, (time - begin) / seconds))
    return (1 - float(np.cos(np.pi * part))) / 2


def held(begin: float, opening: float, hold: float, closing: float, high: float = 1.0) -> Curve:
    """A curve that rises from ``begin`` on, holds and falls; all in seconds."""
    end = begin + opening + hold
    return lambda time: high * (rise(time, begin, opening) - rise(time, end, closing))


def chewed(high: float, until: float = 6.0) -> Curve:
    """A curve to and fro between 0 and ``high``, ``CHEWS`` times a second."""
    fade = held(STILL, 0.5, until - STILL - 1.0, 0.5, high / 2)
    return lambda time: fade(time) * (1 - float(np.cos(2 * np.pi * CHEWS * time)))


def wave(size: float, rate: float) -> Curve:
    """A sine of ``size`` to both sides, ``rate`` times a second."""
    return lambda time: size * float(np.sin(2 * np.pi * rate * time))


def _smile(opening: float, openness: float) -> Scene:
    smile = held(STILL, opening, 1.5, opening * 1.3)
    return Scene(2 * STILL + 1.5 + 2.3 * opening, lambda t: openness * smile(t), lambda t: 0.55 - 0.85 * smile(t))


def _yawn(seconds: float) -> Scene:
    return Scene(seconds + 2 * STILL, held(STILL, 0.4 * seconds, 0.25 * seconds, 0.35 * seconds))


def _drink() -> Scene:
    return Scene(6.0, held(1.4, 0.4, 2.4, 0.4, 0.25), cup=held(1.0, 0.8, 2.4, 0.8), roll=wave(2, 0.4))


def _head(openness: float) -> list[Scene]:
    lips: Curve = lambda _: openness  # noqa: E731
    return [
        Scene(5.0, lips, yaw=wave(35, 0.5)),
        Scene(5.0, lips, yaw=wave(15, 1.5)),  # a shaken head
        Scene(5.0, lips, down=wave(25, 1.5)),  # nodding
        Scene(5.0, lips, roll=wave(20, 0.6)),
        Scene(5.0, lips, zoom=lambda t: 1 + 0.3 * float(np.sin(2 * np.pi * 0.5 * t))),
    ]


SCENES = {
    "chewing, lips closed": [
        Scene(7.0, chewed(high), lambda t: 0.55 + chewed(0.15)(t), chewed(chin)) for high, chin in ((0.0, 4), (0.06, 5))
    ],
    "chewing, lips parting": [Scene(7.0, chewed(high), chin=chewed(3)) for high in (0.2, 0.3)],
    "chewing, mouth open": [Scene(7.0, chewed(high), chin=chewed(2)) for high in (0.5, 0.7)],
    "smiling": [_smile(opening, openness) for opening in (0.4, 1.2) for openness in (0.0, 0.3, 0.5)],
    "yawning": [_yawn(seconds) for seconds in (2.0, 3.0, 4.0)],
    "drinking": [_drink()],
    "head moves, lips closed": _head(0.0),
    "head moves, lips parted": _head(0.3),
}


@dataclass(frozen=True)
class Look:
    """How a scene is filmed: the size of the face, noise in grey levels, brightness, mirrored or not."""

    zoom: float = 1.6
    noise: float = 1.5
    light: float = 1.0
    mirror: bool = False


LOOKS = (Look(), Look(0.8, 3.0), Look(1.2, 2.5, 0.6, mirror=True))


def frames(scene: Scene, look: Look = LOOKS[0], seed: int = 0) -> Iterator[Frame]:
    """The scene's frames, (480, 640, 3) uint8 BGR."""
    photo, drawn = demo.portrait(), dict[tuple[float, ...], demo.Picture]()
    noise = np.random.default_rng(seed).normal(0, look.noise, (7, 480, 640, 3)).astype(np.float32)
    for index in range(round(scene.seconds * RATE)):
        time = index / RATE
        shape = round(scene.openness(time), 2), round(scene.ease(time), 2), round(scene.chin(time), 1)
        if shape not in drawn:
            whole = cv2.resize(demo.with_mouth(photo, *shape[:2]), None, fx=FINE / demo.FINE, fy=FINE / demo.FINE)
            drawn[shape] = _chin_moved(whole, shape[2])
        picture = _placed(_turned(drawn[shape], scene.yaw(time)), scene, look, time)
        picture = picture[:, ::-1] if look.mirror else picture
        noisy = picture * np.float32(look.light) + noise[index % len(noise)]
        yield Frame(index, time, np.clip(noisy, 0, 255).astype(np.uint8))


def _chin_moved(large: demo.Picture, shift: float) -> demo.Picture:
    """The enlarged photo with the chin so far down and half as far to a side, below lips that stay."""
    if not shift:
        return large
    yy, xx = (grid.astype(np.float32) / FINE for grid in np.mgrid[: large.shape[0], : large.shape[1]])
    below = np.clip((yy - 150) / 18, 0, 1) * np.clip(1 - (yy - demo.CHIN - 4) / 40, 0, 1)
    near = below * np.exp(-(((xx - demo.MIDDLE) / 45) ** 2))
    columns, rows = ((grid * FINE).astype(np.float32) for grid in (xx - shift / 2 * near, yy - shift * near))
    return cv2.remap(large, columns, rows, cv2.INTER_LINEAR)


def _turned(large: demo.Picture, yaw: float) -> demo.Picture:
    """The enlarged photo with the head turned, as if it were printed on a cylinder; what is beside it stays."""
    if not yaw:
        return large
    yy, xx = np.mgrid[: large.shape[0], : large.shape[1]].astype(np.float32)
    across = (xx / FINE - demo.FACE[0]) / FACE_RADIUS
    angle = np.arcsin(np.clip(across, -1, 1)) - np.radians(yaw)
    there = FACE_RADIUS * np.sin(np.clip(angle, -np.pi / 2, np.pi / 2)) + demo.FACE[0]
    blend = np.clip((1 - np.abs(across)) / 0.25, 0, 1)
    columns = blend * there * FINE + (1 - blend) * xx
    return cv2.remap(large, columns.astype(np.float32), yy, cv2.INTER_LINEAR)


def _placed(large: demo.Picture, scene: Scene, look: Look, time: float) -> demo.Picture:
    zoom = look.zoom * scene.zoom(time)
    column, row = demo.FACE[0] * FINE, demo.FACE[1] * FINE
    matrix = cv2.getRotationMatrix2D((column, row), scene.roll(time), zoom / FINE)
    matrix[:, 2] += np.array([320 + wave(6, 0.2)(time), 230 + wave(4, 0.3)(time) + scene.down(time)]) - (column, row)
    small = cv2.GaussianBlur(large, (0, 0), 0.4 * FINE / zoom)
    picture = cv2.warpAffine(small, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    return _with_cup(picture, zoom, scene.cup(time))


def _with_cup(picture: demo.Picture, zoom: float, near: float) -> demo.Picture:
    """The picture with a cup, whose rim is at the lower lip where ``near`` is 1."""
    if near <= 0:
        return picture
    middle, half = np.array([320.0, 230 + 30 * zoom + (1 - near) * 260]), np.array([22.0, 30.0]) * zoom
    left, top = middle - (half[0], 0)
    corners = np.array([[left, top], [left + 2 * half[0], top], [left + 1.7 * half[0], top + 2 * half[1]],
                        [left + 0.3 * half[0], top + 2 * half[1]]])  # fmt: skip
    cv2.fillPoly(picture, [corners.round().astype(np.int32)], (150, 110, 60), cv2.LINE_AA)
    rim = round(half[0]), max(1, round(5 * zoom))
    cv2.ellipse(picture, (round(middle[0]), round(top)), rim, 0, 0, 360, (175, 140, 90), -1, cv2.LINE_AA)
    return picture


def main() -> None:
    """Write a strip of twelve pictures for each scene, as its first look."""
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, scenes in SCENES.items():
        strips = []
        for number, scene in enumerate(scenes):
            images = [frame.image[60:430, 150:490] for frame in frames(scene, LOOKS[number % len(LOOKS)])]
            chosen = [images[i] for i in np.linspace(0, len(images) - 1, 12).round().astype(int)]
            strips.append(np.hstack([cv2.resize(image, (136, 148)) for image in chosen]))
        cv2.imwrite(str(folder / f"{name}.jpg"), np.vstack(strips))


if __name__ == "__main__":
    main()

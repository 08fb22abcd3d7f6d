"""The benchmark's clips: made once, kept in a folder, the same on every machine.

- ``one_720p``, ``one_1080p``: one face that talks, turns, glides and comes nearer: the demo's photo, its mouth warped.
  The whole picture moves with it all the time, as from a camera held in the hand: nothing can be saved by looking only
  where something changed.
- ``fixed_720p``: the same face from a fixed camera: it talks and its head sways; behind it nothing moves but the noise.
- ``five_720p``, ``five_1080p``: five faces that talk, each gliding on its own path: that one, another photo, and three
  speakers of the GRID corpus; without the shared clips the photos stand in for these. Between them the backdrop is
  plain and still.
- ``comings_720p``: one face that enters after a second, leaves, and comes back.

H.264 by ffmpeg's libx264 with a little camera noise, so that decoding costs what it costs with a camera's recording.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
import make_demo as demo

Picture = NDArray[np.uint8]
Draw = Callable[[float], Picture]  # a time in seconds -> a frame

RATE = 30
NOISE = 2.0  # grey values, the standard deviation
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
STEPS = 60  # of openness that are drawn
BACKDROP = (96, 104, 88)


@dataclass(frozen=True)
class Clip:
    """A clip and how many faces a person counts in it at the same time, at most."""

    name: str
    path: Path
    faces: int


def make_clips(folder: Path, shared: Path, seconds: float) -> list[Clip]:
    """Make the clips that are not there yet; under a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted: list[tuple[str, int, Callable[[int, int], Draw]]] = [
        ("one", 1, _one_face),
        ("five", 5, lambda width, height: _five_faces(width, height, shared)),
    ]
    clips: list[Clip] = []
    for name, faces, scene in wanted:
        for size, (width, height) in SIZES.items():
            clips.append(_clip(folder, f"{name}_{size}", faces, scene, (width, height), seconds))
    clips.append(_clip(folder, "fixed_720p", 1, _fixed_camera, SIZES["720p"], seconds))
    clips.append(_clip(folder, "comings_720p", 1, _comings, SIZES["720p"], seconds))
    return clips


def _clip(
    folder: Path,
    name: str,
    faces: int,
    scene: Callable[[int, int], Draw],
    size: tuple[int, int],
    seconds: float,
) -> Clip:
    path = folder / f"{name}_{seconds:g}s.mp4"
    if not path.exists():
        draw = scene(*size)
        _write(path, size, (draw(n / RATE) for n in range(round(RATE * seconds))))
    return Clip(name, path, faces)


def _write(path: Path, size: tuple[int, int], frames: Iterator[Picture]) -> None:
    part = path.with_suffix(".part.mp4")
    source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{size[0]}x{size[1]}", "-r", str(RATE), "-i", "-"]
    coding = ["-c:v", "libx264", "-preset", "medium", "-crf", "21", "-pix_fmt", "yuv420p", str(part)]
    writer = subprocess.Popen(["ffmpeg", "-v", "error", "-y", *source, *coding], stdin=subprocess.PIPE)
    assert writer.stdin
    rng = np.random.default_rng(0)
    grain = [rng.normal(0, NOISE, (size[1], size[0], 1)).repeat(3, axis=2).astype(np.int8) for _ in range(7)]
    for n, frame in enumerate(frames):
        writer.stdin.write(cv2.add(frame, grain[n % len(grain)], dtype=cv2.CV_8U).tobytes())
    writer.stdin.close()
    if writer.wait():
        raise SystemExit("ffmpeg could not write the clip")
    part.replace(path)


@cache
def _portrait(step: int) -> Picture:
    """The demo's portrait, enlarged, its mouth open by so many steps of ``STEPS``; each takes 0.1 s to draw."""
    photo = demo.portrait()
    above = cv2.resize(demo.sky(photo), None, fx=demo.FINE, fy=demo.FINE, interpolation=cv2.INTER_CUBIC)
    return np.vstack([above, demo.with_mouth(photo, step / STEPS)])


def _talking(time: float) -> Picture:
    return _portrait(round(demo.opening(time % demo.SECONDS) * STEPS))


def _one_face(width: int, height: int) -> Draw:
    scale = height / demo.HEIGHT

    def draw(time: float) -> Picture:
        large = _talking(time)
        middle = (demo.FACE[0] * demo.FINE, (demo.FACE[1] + demo.SKY) * demo.FINE)
        zoom = (1.85 + 0.12 * np.sin(0.7 * time + 1)) * scale / demo.FINE
        matrix = cv2.getRotationMatrix2D(middle, 6 * np.sin(0.9 * time), zoom)
        place = (width / 2 + 60 * scale * np.sin(1.1 * time), (218 + 9 * np.sin(1.7 * time)) * scale)
        matrix[:, 2] += np.array(place) - middle
        return cv2.warpAffine(large, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    return draw


def _fixed_camera(width: int, height: int) -> Draw:
    scale = height / demo.HEIGHT
    middle, zoom = (demo.FACE[0] * demo.FINE, (demo.FACE[1] + demo.SKY) * demo.FINE), 1.85 * scale / demo.FINE
    place = (width / 2, 218 * scale)
    matrix = np.array([[zoom, 0, place[0] - zoom * middle[0]], [0, zoom, place[1] - zoom * middle[1]]])
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    head = np.exp(-((np.hypot(across - place[0], down - place[1]) / (110 * scale)) ** 4)).astype(
        np.float32
    )  # 1 in it, 0 around it

    def draw(time: float) -> Picture:
        frame = cv2.warpAffine(_talking(time), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        right, below = float(10 * scale * np.sin(1.1 * time)), float(5 * scale * np.sin(1.7 * time))
        return cv2.remap(frame, across - right * head, down - below * head, cv2.INTER_LINEAR)

    return draw


def _five_faces(width: int, height: int, shared: Path) -> Draw:
    people = [*_photographed(), *_speakers(shared)][:5]
    side = round(height * 0.46)
    columns, rows = (0.17, 0.5, 0.83, 0.33, 0.67), (0.26, 0.26, 0.26, 0.75, 0.75)

    def draw(time: float) -> Picture:
        frame = np.full((height, width, 3), BACKDROP, np.uint8)
        for n, person in enumerate(people):
            picture = person(time)
            scale = side / picture.shape[0]
            x = width * (columns[n] + 0.03 * np.sin(1.1 * time + n)) - picture.shape[1] * scale / 2
            y = height * (rows[n] + 0.02 * np.sin(1.7 * time + 2 * n)) - side / 2
            matrix = np.array([[scale, 0, x], [0, scale, y]])
            cv2.warpAffine(picture, matrix, (width, height), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        return frame

    return draw


def _comings(width: int, height: int) -> Draw:
    inside = _one_face(width, height)
    empty = np.full((height, width, 3), BACKDROP, np.uint8)

    def draw(time: float) -> Picture:
        return inside(time) if 1 <= time % 4 < 3 else empty

    return draw


def _photographed() -> list[Draw]:
    """The demo's portrait with its mouth moved; Grace Hopper's portrait, which matplotlib brings, as it is."""
    import matplotlib.cbook

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)[:400, 60:460]

    def portrait(time: float) -> Picture:
        large = _talking(time + 2)[demo.SKY * demo.FINE :]
        return cv2.resize(large[: 300 * demo.FINE, 70 * demo.FINE : 370 * demo.FINE], (400, 400))

    return [portrait, lambda _: hopper]


def _speakers(shared: Path) -> list[Draw]:
    """Speakers of the GRID corpus, their sentences forwards and backwards; without them the photos again."""
    clip = shared / "clips" / "grid_tile8_speakers.mp4"
    if not clip.exists():
        return [*_photographed(), *_photographed()]
    video, frames = cv2.VideoCapture(str(clip)), []
    while (read := video.read())[0]:
        frames.append(read[1])

    def speaker(tile: int) -> Draw:
        top, left = tile // 4 * 256, tile % 4 * 320

        def draw(time: float) -> Picture:
            n = int(time * 25) % (2 * len(frames) - 2)
            frame = frames[min(n, 2 * len(frames) - 2 - n)]
            return frame[top : top + 256, left : left + 320]

        return draw

    return [speaker(tile) for tile in (2, 4, 7)]

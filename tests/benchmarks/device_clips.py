"""Clips of 720p from the demo's: one face, eight faces, many copies, one long."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mouth_live import realtime

Picture = NDArray[np.uint8]

COPIES = 16
SIZE, RATE = (1280, 720), 30
NOISE = 2.0  # grey values, as of a camera
LONG = 6  # times the length of a clip
FACE = (140, 40, 360, 405)  # of the demo's frame: left, top, width and height around the face


def make_clips(folder: Path, seconds: float) -> tuple[dict[str, Path], str]:
    """Make the clips that are not there yet.

    Returns:
        ``single`` and ``long``, files; ``one`` and ``eight``, folders of copies; and what wrote them.
    """
    by = "ffmpeg's libx264" if shutil.which("ffmpeg") else "PyAV's libx264" if _has_av() else "OpenCV (MPEG-4)"
    clips = {name: folder / f"{name}.mp4" for name in ("single", "crowd", "long")}
    frames = list(_demo())
    count = round(RATE * seconds)
    for name, drawn, length in (("single", _one, count), ("crowd", _eight, count), ("long", _one, LONG * count)):
        if not clips[name].exists():
            _write(clips[name], (_noisy(drawn(frames, n), n) for n in range(length)), by)
    for name, source in (("one", "single"), ("eight", "crowd")):
        clips[name] = folder / name
        clips[name].mkdir(exist_ok=True)
        for number in range(COPIES):
            copy = clips[name] / f"{number:02}.mp4"
            if not copy.exists():
                shutil.copy(clips[source], copy)
    return clips, by


def _demo() -> Iterator[Picture]:
    capture = cv2.VideoCapture(str(Path(str(realtime.__file__)).parent / "commands" / "demo.mp4"))
    while (read := capture.read())[0]:
        yield read[1]


def _one(frames: list[Picture], number: int) -> Picture:
    canvas = np.full((SIZE[1], SIZE[0], 3), (96, 104, 88), np.uint8)
    canvas[:, 160:1120] = cv2.resize(frames[_there_and_back(number, len(frames))], (960, 720))
    return canvas


def _eight(frames: list[Picture], number: int) -> Picture:
    left, top, width, height = FACE
    canvas = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    for tile in range(8):
        frame = frames[_there_and_back(number + 23 * tile, len(frames))]
        part = cv2.resize(frame[top : top + height, left : left + width], (320, 360))
        x, y = 320 * (tile % 4), 360 * (tile // 4)
        canvas[y : y + 360, x : x + 320] = part if tile % 2 else part[:, ::-1]
    return canvas


def _there_and_back(number: int, count: int) -> int:
    place = number % (2 * count - 2)
    return min(place, 2 * count - 2 - place)


def _noisy(picture: Picture, number: int) -> Picture:
    noise = np.random.default_rng(number % 32).normal(0, NOISE, picture.shape[:2])[..., None]
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _has_av() -> bool:
    try:
        import av  # noqa: F401
    except ImportError:
        return False
    return True


def _write(path: Path, pictures: Iterator[Picture], by: str) -> None:
    part = path.with_suffix(".part.mp4")
    if by.startswith("ffmpeg"):
        size = f"{SIZE[0]}x{SIZE[1]}"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", size, "-r", str(RATE)]
        command += ["-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", str(part)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as writer:
            assert writer.stdin is not None
            for picture in pictures:
                writer.stdin.write(picture.tobytes())
    elif by.startswith("PyAV"):
        _write_by_av(part, pictures)
    else:
        video = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*"mp4v"), RATE, SIZE)
        for picture in pictures:
            video.write(picture)
        video.release()
    part.replace(path)


def _write_by_av(path: Path, pictures: Iterator[Picture]) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())

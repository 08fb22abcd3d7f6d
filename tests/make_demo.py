"""Make the demo clip: one face, its mouth opened and closed by warping a photo. Run: python tests/make_demo.py OUT.mp4

The photo is the public-domain portrait of the astronaut Eileen Collins (NASA) that scikit-image brings. The lower lip,
chin and jaw are moved, the gap is painted dark below the upper teeth; the picture is shifted, turned and zoomed a
little. The same curve that drives the mouth, :func:`opening`, is the truth that the tests compare with.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

RATE, SECONDS, WIDTH, HEIGHT = 25, 8.0, 640, 480
FINE = 3  # the photo is enlarged before it is warped, so that edges stay smooth
EYE_DISTANCE = 42.5  # of the photo, in its pixels, as all that follows
CHIN, NECK = 181.0, 222.0  # rows
LOWER_FACE = (110, 240, 140, 310)  # first and last row, first and last column: all that moves
# The inner edges of the lips, read off the photo: columns, and the rows of the upper and the lower edge there.
COLUMNS = (203.5, 205, 207, 210, 215, 220, 225, 230, 235, 239, 242, 244)
UPPER = (139.9, 140.4, 140.9, 141.6, 142.4, 143.3, 143.5, 143.3, 142.8, 142.0, 141.4, 140.9)
LOWER = (140.3, 142.5, 144.5, 146.8, 149.0, 149.8, 149.9, 149.5, 147.6, 145.0, 143.0, 141.3)
CURVE = [  # (time in seconds, openness); in between it glides
    (0.0, 0.0), (0.8, 0.0), (1.3, 0.5), (1.8, 0.5), (2.2, 0.0), (2.4, 0.0),
    (2.55, 0.4), (2.7, 0.05), (2.9, 0.55), (3.05, 0.1), (3.25, 0.45), (3.4, 0.0), (3.6, 0.6), (3.8, 0.15), (4.0, 0.5),
    (4.2, 0.05), (4.35, 0.3), (4.6, 0.0), (5.2, 0.0), (5.6, 1.0), (6.4, 1.0), (6.9, 0.0), (8.0, 0.0),
]  # fmt: skip


def opening(time: float) -> float:
    """How open the mouth is drawn at a time in seconds, 0..1."""
    times, values = (np.array(column) for column in zip(*CURVE, strict=True))
    i = int(np.clip(np.searchsorted(times, time, side="right") - 1, 0, len(times) - 2))
    part = np.clip((time - times[i]) / (times[i + 1] - times[i]), 0, 1)
    return float(values[i] + (values[i + 1] - values[i]) * (1 - np.cos(np.pi * part)) / 2)


def portrait() -> Picture:
    """The photo, (512, 512, 3) uint8 BGR."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


def with_mouth(photo: Picture, openness: float) -> Picture:
    """The photo, FINE times enlarged, with its mouth so far open (0..1, as CONTRACT's scale)."""
    whole = cv2.resize(photo, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    top, bottom, left, right = (edge * FINE for edge in LOWER_FACE)
    large = whole[top:bottom, left:right]
    yy, xx = (grid.astype(np.float32) / FINE for grid in np.mgrid[top:bottom, left:right])
    column = xx[0]
    smooth = (0, 0), 1.2 * FINE
    upper, lower = (
        cv2.GaussianBlur(np.interp(column, COLUMNS, rows).astype(np.float32)[None], *smooth)[0]
        for rows in (UPPER, LOWER)
    )
    gap = np.interp(openness, (0, 0.5, 1), (0, 0.12, 0.45)) * EYE_DISTANCE
    u = (column - 224.0) / 20.5
    inside = np.clip(1 - u**2, 0, 1) ** 0.6
    lips = (gap - 6.4) * inside if gap > 6.4 else (gap / 6.4 - 1) * (lower - upper)  # shift of the lower lip
    jaw = (gap - 6.4) * np.exp(-((u / 1.5) ** 2))  # of the chin, cheeks and neck less and less
    source = yy.copy()
    for _ in range(8):  # the row that lands here: y = source + shift(source), solved by iteration
        to_chin = _step((source - lower) / (CHIN - 8 - lower))
        fade = 1 - _step((source - CHIN) / (NECK - CHIN))
        shift = (lips * (1 - to_chin) + jaw * to_chin) * fade * (source > (upper + lower) / 2 - 2)
        source = yy - shift
    rows, columns = (source * FINE - top).astype(np.float32), xx * FINE - left
    skin = cv2.remap(large, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    depth = np.clip((yy - upper) / max(gap, 1.0), 0, 1)[..., None]
    cavity = (1 - depth) * np.array([22, 16, 38]) + depth * np.array([48, 40, 92])  # dark above, the tongue below
    tongue = np.exp(-(((xx - 224) / 9) ** 2) - ((depth[..., 0] - 1.0) / 0.35) ** 2)[..., None]
    cavity = cavity * (1 - 0.6 * tongue) + np.array([92, 84, 168]) * 0.6 * tongue
    mouth = np.where((yy < lower - 0.4)[..., None], large.astype(np.float32), cavity)
    mouth = cv2.GaussianBlur(mouth.astype(np.float32), (0, 0), 0.4 * FINE)
    wet = ((yy > upper) & (yy < lower + lips) & (np.abs(u) < 1)).astype(np.float32)
    mask = cv2.GaussianBlur(wet, (0, 0), 0.35 * FINE)[..., None]
    face = skin * (1 - mask) + mouth * mask
    line = np.exp(-(((yy - upper) / 0.7) ** 2)) * (np.abs(u) < 1) * np.clip(1 - gap / 3, 0, 1) * 0.55
    whole[top:bottom, left:right] = np.clip(face * (1 - line[..., None]) + (40, 30, 70) * line[..., None], 0, 255)
    return whole


def _step(x: NDArray[np.float32]) -> NDArray[np.float32]:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def placed(large: Picture, time: float) -> Picture:
    """The enlarged photo in the clip's frame, moved, turned and zoomed as at this time; (480, 640, 3) uint8 BGR."""
    roll, zoom = 5 * np.sin(0.9 * time), 1.42 + 0.1 * np.sin(0.7 * time + 1)
    matrix = cv2.getRotationMatrix2D((224.0 * FINE, 130.0 * FINE), roll, zoom / FINE)
    matrix[:, 2] += np.array([320 + 26 * np.sin(1.1 * time), 158 + 8 * np.sin(1.7 * time)]) - (224 * FINE, 130 * FINE)
    small = cv2.GaussianBlur(large, (0, 0), 0.4 * FINE / zoom)
    return cv2.warpAffine(small, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)


def frames() -> Iterator[Picture]:
    """The demo's frames."""
    photo = portrait()
    for n in range(round(RATE * SECONDS)):
        yield placed(with_mouth(photo, opening(n / RATE)), n / RATE)


def crossing_faces(
    rate: float, hide: tuple[float, float] | None = (1.55, 2.05)
) -> Iterator[tuple[float, Picture, list[float | None]]]:
    """Two real faces on crossing paths for 3 s; the second is hidden for half a second.

    Yields:
        the time, the frame (360, 640, 3) uint8 BGR, and the column of each face's middle (None: hidden). The second
        face is Grace Hopper's (U.S. Navy, public domain), which matplotlib brings.
    """
    import matplotlib.cbook

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    first = cv2.resize(portrait()[20:210, 130:320], (150, 150), interpolation=cv2.INTER_AREA)
    second = cv2.resize(hopper[20:360, 90:430], (150, 150), interpolation=cv2.INTER_AREA)
    for n in range(round(3 * rate)):
        time = n / rate
        frame = np.full((360, 640, 3), (96, 104, 88), np.uint8)
        columns: list[float | None] = [90 + 460 * time / 3, 550 - 460 * time / 3]
        hidden = hide is not None and hide[0] <= time < hide[1]
        for picture, column, row in ((first, columns[0], 105), (second, None if hidden else columns[1], 255)):
            if column is not None:
                matrix = np.array([[1, 0, column - 75], [0, 1, row - 75]], float)
                cv2.warpAffine(picture, matrix, (640, 360), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        yield time, frame, [columns[0], None if hidden else columns[1]]


def main() -> None:
    """Write the clip through ffmpeg."""
    command = f"ffmpeg -v error -y -f rawvideo -pix_fmt bgr24 -s {WIDTH}x{HEIGHT} -r {RATE} -i -".split()
    command += [
        "-c:v",
        "libx264",
        "-preset",
        "veryslow",
        "-crf",
        "25",
        "-pix_fmt",
        "yuv420p",
        "-movflags",
        "+faststart",
        "-bitexact",
    ]
    writer = subprocess.Popen([*command, str(Path(sys.argv[1]))], stdin=subprocess.PIPE)
    assert writer.stdin
    for frame in frames():
        writer.stdin.write(frame.tobytes())
    writer.stdin.close()
    raise SystemExit(writer.wait())


if __name__ == "__main__":
    main()

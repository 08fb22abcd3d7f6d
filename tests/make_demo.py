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
Field = NDArray[np.float32]
Point = tuple[float, float]

RATE, SECONDS, WIDTH, HEIGHT = 25, 8.0, 640, 480
FINE = 3  # the photo is enlarged before it is warped, so that edges stay smooth
SKY = 48  # rows of backdrop added above the photo, so that a turned frame stays filled
HAIR = 14  # the photo's rows above the hair
# All that follows is in pixels of the photo as scikit-image brings it.
EYE_DISTANCE = 42.5
FACE = (224.0, 118.0)  # what the picture turns about: the middle of the face
CHIN, NECK = 181.0, 222.0  # rows
LOWER_FACE = (110, 240, 140, 310)  # first and last row, first and last column: all that moves
MIDDLE, HALF_MOUTH, LIP_LINE = 224.0, 20.5, 142.5  # column, half the mouth's width, row
# The inner edges of the lips, read off the photo: columns, and the rows of the upper and the lower edge there.
COLUMNS = (203.5, 205, 207, 210, 215, 220, 225, 230, 235, 239, 242, 244)
UPPER = (139.9, 140.4, 140.9, 141.6, 142.4, 143.3, 143.5, 143.3, 142.8, 142.0, 141.4, 140.9)
LOWER = (140.3, 142.5, 144.5, 146.8, 149.0, 149.8, 149.9, 149.5, 147.6, 145.0, 143.0, 141.3)
PHOTO_GAP = 6.4  # between the lips in the photo's middle
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


def with_mouth(photo: Picture, openness: float, ease: float | None = None) -> Picture:
    """The photo, FINE times enlarged, with its mouth so far open (0..1, on the scale of openness).

    Without ``ease`` the photo's smile is eased as far as suits the openness; 0 leaves it, below 0 it is wider.
    """
    whole = cv2.resize(photo, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    top, bottom, left, right = (edge * FINE for edge in LOWER_FACE)
    yy, xx = (grid.astype(np.float32) / FINE for grid in np.mgrid[top:bottom, left:right])
    gap = float(np.interp(openness, (0, 0.5, 1), (0, 0.12, 0.45)) * EYE_DISTANCE)
    moved = _jaw_moved(whole[top:bottom, left:right], yy, xx, gap)
    if ease is None:
        ease = float(np.interp(openness, (0, 0.3, 0.5, 1), (0.55, 0.45, 0.3, 0.5)))
    whole[top:bottom, left:right] = _smile_eased(moved, yy, xx, ease)
    return whole


def _jaw_moved(large: Picture, yy: Field, xx: Field, gap: float) -> Picture:
    """The lower face with so much room between the lips, in pixels of the photo; yy, xx: each pixel's place there."""
    upper, lower = (_edge(xx[0], rows) for rows in (UPPER, LOWER))
    u = (xx - MIDDLE) / HALF_MOUTH
    wider = gap - PHOTO_GAP
    lips = wider * np.clip(1 - u**2, 0, 1) ** 0.6 if wider > 0 else wider / PHOTO_GAP * (lower - upper)
    jaw = wider * np.exp(-((u / 1.5) ** 2))  # of the chin, cheeks and neck less and less
    source = yy.copy()
    for _ in range(8):  # the row that lands here: y = source + shift(source), solved by iteration
        to_chin = _step((source - lower) / (CHIN - 8 - lower))
        fade = 1 - _step((source - CHIN) / (NECK - CHIN))
        shift = (lips * (1 - to_chin) + jaw * to_chin) * fade * (source > (upper + lower) / 2 - 2)
        source = yy - shift
    skin = _sampled(large, source, xx)
    depth = np.clip((yy - upper) / max(gap, 1.0), 0, 1)[..., None]
    cavity = (1 - depth) * np.array([22, 16, 38]) + depth * np.array([48, 40, 92])  # dark above, red below
    tongue = np.exp(-(((xx - MIDDLE) / 9) ** 2) - ((depth[..., 0] - 1.0) / 0.35) ** 2)[..., None]
    cavity = cavity * (1 - 0.6 * tongue) + np.array([92, 84, 168]) * 0.6 * tongue
    mouth = np.where((yy < lower - 0.4)[..., None], large.astype(np.float32), cavity)  # the upper teeth stay
    mouth = cv2.GaussianBlur(mouth.astype(np.float32), (0, 0), 0.4 * FINE)
    inside = ((yy > upper) & (yy < lower + lips) & (np.abs(u) < 1)).astype(np.float32)
    mask = cv2.GaussianBlur(inside, (0, 0), 0.35 * FINE)[..., None]
    face = skin * (1 - mask) + mouth * mask
    line = np.exp(-(((yy - upper) / 0.9) ** 2)) * np.clip(1.3 - np.abs(u), 0, 0.3) / 0.3  # where closed lips meet
    line = (line * np.clip(1 - gap / 3, 0, 1) * 0.7)[..., None]
    face = face * (1 - line) + np.array([62, 48, 112]) * line
    # The lower lip's shine, next to the upper lip now, would pass for teeth.
    shine = np.exp(-(((xx - MIDDLE) / 16) ** 4) - ((yy - 146.5) / 3.2) ** 2) * np.clip(1 - gap / PHOTO_GAP, 0, 1)
    shine = (shine * 0.6)[..., None]
    return np.clip(face * (1 - shine) + np.array([125, 112, 190]) * shine, 0, 255).astype(np.uint8)


def _smile_eased(large: Picture, yy: Field, xx: Field, ease: float) -> Picture:
    """The lower face with the corners of the mouth brought in and down and the lips made fuller, by 0..1."""
    u, v = (xx - MIDDLE) / HALF_MOUTH, (yy - LIP_LINE) / 13
    near = ease * np.exp(-((u / 1.75) ** 4) - v**2)
    columns = MIDDLE + (xx - MIDDLE) * (1 + 0.24 * near)
    rows = yy - 2.4 * np.minimum(u**2, 2) * near - (yy - LIP_LINE) * 0.16 * near
    return _sampled(large, rows, columns)


def _edge(columns: Field, rows: tuple[float, ...]) -> Field:
    """A lip's edge as a smooth curve: its row in each column."""
    return cv2.GaussianBlur(np.interp(columns, COLUMNS, rows).astype(np.float32)[None], (0, 0), 1.2 * FINE)[0]


def _sampled(large: Picture, rows: Field, columns: Field) -> Picture:
    """The enlarged lower face, each pixel taken from that place of the photo."""
    top, _, left, _ = LOWER_FACE
    x, y = ((columns - left) * FINE).astype(np.float32), ((rows - top) * FINE).astype(np.float32)
    return cv2.remap(large, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _step(x: Field) -> Field:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def sky(photo: Picture) -> Picture:
    """SKY rows of backdrop to put above the photo: its rows above the hair mirrored to and fro, softened, grained."""
    strip = photo[:HAIR]
    bands = np.vstack([strip[::-1] if n % 2 else strip for n in range(SKY // HAIR + 2)])[-SKY:][::-1]
    soft = cv2.GaussianBlur(np.vstack([bands, strip]), (0, 0), 5)[:SKY].astype(np.float32)
    near = np.linspace(0, 1, SKY, dtype=np.float32)[:, None, None] ** 4  # the rows beside the photo stay as they are
    grain = np.random.default_rng(0).normal(0, 2, (*soft.shape[:2], 1)).astype(np.float32)
    return np.clip(soft * (1 - near) + bands * near + grain * (1 - near), 0, 255).astype(np.uint8)


def placed(large: Picture, above: Picture, time: float) -> Picture:
    """The enlarged photo in the clip's frame, moved, turned and zoomed as at this time; (480, 640, 3) uint8 BGR."""
    roll, zoom = 6 * np.sin(0.9 * time), 1.85 + 0.12 * np.sin(0.7 * time + 1)
    column, row = FACE[0] * FINE, (FACE[1] + SKY) * FINE
    matrix = cv2.getRotationMatrix2D((column, row), roll, zoom / FINE)
    matrix[:, 2] += np.array([320 + 30 * np.sin(1.1 * time), 218 + 9 * np.sin(1.7 * time)]) - (column, row)
    small = cv2.GaussianBlur(np.vstack([above, large]), (0, 0), 0.4 * FINE / zoom)
    return cv2.warpAffine(small, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def drawn(time: float) -> Picture:
    """The demo's picture at a time in seconds, (480, 640, 3) uint8 BGR."""
    photo = portrait()
    above = cv2.resize(sky(photo), None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC)
    return placed(with_mouth(photo, opening(time)), above, time)


def crossing_faces(
    rate: float, hide: tuple[float, float] | None = (1.55, 2.05)
) -> Iterator[tuple[float, Picture, list[Point | None]]]:
    """Two real faces on crossing paths for 3 s; the second is hidden for half a second.

    Yields:
        the time, the frame (360, 640, 3) uint8 BGR, and the (x, y) of each face's middle (None: hidden). The second
        face is Grace Hopper's (U.S. Navy, public domain), which matplotlib brings.
    """
    import matplotlib.cbook

    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        hopper = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
    first = cv2.resize(portrait()[20:210, 130:320], (150, 150), interpolation=cv2.INTER_AREA)
    second = cv2.resize(hopper[20:360, 90:430], (150, 150), interpolation=cv2.INTER_AREA)
    for n in range(round(3 * rate)):
        time = n / rate
        along = 460 * time / 3
        hidden = hide is not None and hide[0] <= time < hide[1]
        centres: list[Point | None] = [(90 + along, 120.0), None if hidden else (550 - along, 240.0)]
        frame = np.full((360, 640, 3), (96, 104, 88), np.uint8)
        for picture, centre in zip((first, second), centres, strict=True):
            if centre is not None:
                matrix = np.array([[1, 0, centre[0] - 75], [0, 1, centre[1] - 75]], float)
                cv2.warpAffine(picture, matrix, (640, 360), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        yield time, frame, centres


def main() -> None:
    """Write the clip through ffmpeg."""
    source = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-i", "-"]
    coding = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "22", "-pix_fmt", "yuv420p"]
    target = ["-movflags", "+faststart", "-bitexact", str(Path(sys.argv[1]))]
    writer = subprocess.Popen(["ffmpeg", "-v", "error", "-y", *source, *coding, *target], stdin=subprocess.PIPE)
    assert writer.stdin
    for n in range(round(RATE * SECONDS)):
        writer.stdin.write(drawn(n / RATE).tobytes())
    writer.stdin.close()
    raise SystemExit(writer.wait())


if __name__ == "__main__":
    main()

"""How many faces does FaceFinder find as heads turn, lie, shrink and crowd together? What else does it take for one?

    python tests/benchmarks/faces_turned.py [--faces FOLDER] [--check FILE ...] [--sheet SHEET.png] [--only TABLE]

The photos of ``turned.csv`` whose head turn was measured. Of those turned by 30 degrees or more, the face check learns
from four fifths, so only the fifth that it leaves out counts. ``--check`` measures other weights than the shipped ones;
five of them, each trained without another fifth, count all photos. A face counts as found where a box overlaps that of
its 68 points (intersection over union from 0.2 on). Tables in Markdown; ten minutes.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from mouth_live.models import FaceFinder
from mouth_live.models.face import Box, iou
from mouth_live.models.training.data import read_label_rows, read_picture
from mouth_live.models.training.face_check_data import HELD_OUT_SCENES, HELD_OUT_SETS
from mouth_live.models.training.faceless_pictures import faceless_pictures, scenes
from mouth_live.models.training.turned_faces import FOLDS, TurnedFace, read_turned

Image = NDArray[np.uint8]

SHARED = Path(__file__).parents[3] / "shared"
YAWS = (0, 30, 45, 60, 75, 90)
WIDTHS = (120, 80, 60, 50, 40, 30)  # pixels of the detector's box
CROWDS = (1, 4, 12, 24, 48)  # faces in one picture
WALL = (1080, 1920)
BOX = 1.35  # the detector's box is wider than that of the 68 points by this factor (median)
SAME = 0.2


@dataclass(frozen=True)
class Finders:
    """FaceFinder with the weights that have not seen a photo, and without the check."""

    checked: Sequence[FaceFinder]
    bare: FaceFinder

    def for_fold(self, fold: int) -> tuple[FaceFinder, FaceFinder]:
        """Return the finder that never saw the photos of a fold, and the one that checks nothing."""
        return self.checked[fold % len(self.checked)], self.bare


def main() -> None:
    tables = {"yaw": by_yaw, "roll": by_roll, "size": by_size, "crowd": by_crowd, "inventions": inventions}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, default=SHARED / "faces")
    parser.add_argument("--check", type=Path, action="append", help="weights (.tflite) of a face check; one, or five")
    parser.add_argument("--sheet", type=Path, help="write a sheet of 40 photos turned by 45 degrees or more")
    parser.add_argument("--only", choices=tables)
    options = parser.parse_args()
    checks: list[Path] = options.check or []
    if len(checks) not in {0, 1, FOLDS}:
        sys.exit(f"--check: expected one file or {FOLDS}, got {len(checks)}")
    finders = Finders([finder(path) for path in checks] or [FaceFinder()], FaceFinder(check=False))
    if options.sheet:
        write_sheet(options.sheet, options.faces, chosen(options.faces, finders), finders)
        return
    for name, table in tables.items():
        if options.only in {None, name}:
            table(options.faces, finders)


def finder(check: Path, min_face: float = 40) -> FaceFinder:
    """A finder with the weights of a face check of one's own."""
    with mock.patch("mouth_live.models.face_check.FACE_CHECK", check):
        return FaceFinder(min_face=min_face)


def chosen(folder: Path, finders: Finders) -> list[TurnedFace]:
    """The photos that no check in use was trained on."""
    faces = [face for face in read_turned(folder) if abs(face.yaw) <= YAWS[-1]]
    return faces if len(finders.checked) == FOLDS else [face for face in faces if face.fold == 0 or not face.is_turned]


def is_found(finder: FaceFinder, image: Image, box: Box) -> bool:
    return any(iou(face.box, box) > SAME for face in finder.find(image))


def row(name: str, hits: Sequence[tuple[bool, bool]]) -> None:
    """Print a row: faces, share found with the check and without it."""
    checked, bare = np.mean(hits, axis=0)
    print(f"| {name} | {len(hits)} | {checked:.1%} | {bare:.1%} |", flush=True)


def head(name: str) -> None:
    print(f"\n| {name} | faces | found | without the check |\n|---|---|---|---|")


def by_yaw(folder: Path, finders: Finders) -> None:
    head("head turn")
    faces = chosen(folder, finders)
    for low, high in pairwise(YAWS):
        hits: list[tuple[bool, bool]] = []
        for face in (face for face in faces if low <= abs(face.yaw) < high + (high == YAWS[-1])):
            image = read_picture(face.file)
            first, second = finders.for_fold(face.fold)
            hits.append((is_found(first, image, face.box), is_found(second, image, face.box)))
        row(f"{low} to {high} degrees", hits)


def by_roll(folder: Path, finders: Finders) -> None:
    head("picture turned by")
    faces = chosen(folder, finders)
    some = [f for f in faces if abs(f.yaw) < 30][:100] + [f for f in faces if abs(f.yaw) >= 30][:100]
    for angle in range(0, 360, 30):
        hits: list[tuple[bool, bool]] = []
        for face in some:
            image, box = rolled(read_picture(face.file), face.box, angle)
            first, second = finders.for_fold(face.fold)
            hits.append((is_found(first, image, box), is_found(second, image, box)))
        row(f"{angle} degrees", hits)


def rolled(image: Image, box: Box, angle: float) -> tuple[Image, Box]:
    """The photo turned around its middle, on a black ground that holds all of it, and the face's box there."""
    height, width = image.shape[:2]
    side = int(np.hypot(height, width)) + 1
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1)
    matrix[:, 2] += (side - width) / 2, (side - height) / 2
    x, y = matrix @ (box[0] + box[2] / 2, box[1] + box[3] / 2, 1)
    size = max(box[2:])
    return cv2.warpAffine(image, matrix, (side, side)).astype(np.uint8), (x - size / 2, y - size / 2, size, size)


def by_size(folder: Path, finders: Finders) -> None:
    head("width of the face in pixels, 12 faces in a 1080p picture")
    for width in WIDTHS:
        on_walls(f"{width}", folder, finders, 12, width)


def by_crowd(folder: Path, finders: Finders) -> None:
    head("faces in a 1080p picture, 60 pixels wide")
    for count in CROWDS:
        on_walls(f"{count}", folder, finders, count, 60)


def on_walls(name: str, folder: Path, finders: Finders, count: int, width: float) -> None:
    """Print the row of faces of that width, so many in each picture, a third of them turned by 30 degrees or more."""
    faces = chosen(folder, finders)
    frontal, turned = ([f for f in faces if (abs(f.yaw) >= 30) == is_turned] for is_turned in (False, True))
    hits: list[tuple[bool, bool]] = []
    for fold in range(len(finders.checked)):
        n = 96 // len(finders.checked)
        mine = [f for f in frontal if f.fold == fold][: n - n // 3] + [f for f in turned if f.fold == fold][: n // 3]
        order = np.random.default_rng(0).permutation(len(mine)).tolist()
        for start in range(0, len(mine), count) if count > 1 else range(0, len(mine), 2):
            image, boxes = wall([mine[i] for i in order[start : start + count]], count, width)
            first, second = (finder.find(image) for finder in finders.for_fold(fold))
            hits += [tuple(any(iou(f.box, box) > SAME for f in found) for found in (first, second)) for box in boxes]
    row(name, hits)


def wall(faces: Sequence[TurnedFace], places: int, width: float) -> tuple[Image, list[Box]]:
    """Photos side by side on a grey 1080p picture, in as many places, each face shrunk to that width."""
    picture, boxes = np.full((*WALL, 3), 120, np.uint8), []
    across = next(n for n in (1, 2, 4, 6, 8) if n * max(1, round(n * 3 / 4)) >= places)
    down = -(-places // across)
    for k, face in enumerate(faces):
        image, scale = read_picture(face.file), width / (BOX * face.box[2])
        top, left = k // across * WALL[0] // down, k % across * WALL[1] // across
        shrunk = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        shrunk = shrunk[: WALL[0] // down, : WALL[1] // across]
        picture[top : top + shrunk.shape[0], left : left + shrunk.shape[1]] = shrunk
        x, y, w, h = (scale * n for n in face.box)
        boxes.append((left + x, top + y, w, h))
    return picture, boxes


def inventions(folder: Path, finders: Finders) -> None:
    """The table of what is no face and taken for one."""
    kinds: dict[str, Callable[[], Iterator[Image]]] = {
        "cuts of four pictures beside the face": cuts,
        "the same, colours swapped and turned": lambda: (np.ascontiguousarray(c[::-1, :, ::-1]) for c in cuts()),
        "scenes, letters, drawings, shuffled faces": lambda: made(folder),
        "frames of a cartoon title (pyfeat_no_face)": lambda: frames(folder.parent / "clips" / "pyfeat_no_face.mp4"),
    }
    print("\n| pictures without a face | pictures | with a face found | without the check |\n|---|---|---|---|")
    for name, pictures in kinds.items():
        found = [(bool(finders.checked[0].find(p)), bool(finders.bare.find(p))) for p in pictures()]
        checked, bare = np.sum(found, axis=0)
        print(f"| {name} | {len(found)} | {checked} | {bare} |", flush=True)


def cuts() -> Iterator[Image]:
    """1,000 parts of pictures that training did not see, without their faces, 640x480."""
    rng = np.random.default_rng(0)
    sources = [
        skimage.data.astronaut()[260:, :, ::-1],
        np.dstack([skimage.data.microaneurysms()] * 3),
        np.dstack([skimage.data.camera()[240:]] * 3),
        skimage.data.stereo_motorcycle()[1][..., ::-1],
    ]
    for n in range(1000):
        part = sources[n % len(sources)]
        height, width = (int(side * rng.uniform(0.25, 0.8)) for side in part.shape[:2])
        y, x = rng.integers(0, part.shape[0] - height), rng.integers(0, part.shape[1] - width)
        yield cv2.resize(np.ascontiguousarray(part[y : y + height, x : x + width]), (640, 480)).astype(np.uint8)


def made(folder: Path) -> Iterator[Image]:
    """1,000 pictures as training has them, of scenes and sets that it did not see."""
    rng = np.random.default_rng(1)
    rows = [row for row, _ in read_label_rows(folder) if row["set"] in HELD_OUT_SETS]
    images = [read_picture(folder / rows[i]["file"]) for i in rng.permutation(len(rows))[:300]]
    yield from faceless_pictures(images, scenes(HELD_OUT_SCENES), rng, 1000)


def frames(clip: Path) -> Iterator[Image]:
    capture = cv2.VideoCapture(str(clip))
    while (read := capture.read())[0]:
        yield read[1]


def write_sheet(path: Path, folder: Path, faces: Sequence[TurnedFace], finders: Finders) -> None:
    """Write 40 photos, five rows of eight by growing head turn: green where the face is found, red where not."""
    turned = sorted((face for face in faces if abs(face.yaw) >= 45), key=lambda face: abs(face.yaw))
    tiles: list[Image] = []
    for i in np.linspace(0, len(turned) - 1, 40).round().astype(int):
        image, (x, y, w, h) = read_picture(turned[i].file), turned[i].box
        hit = is_found(finders.for_fold(turned[i].fold)[0], image, turned[i].box)
        colour = (0, 200, 0) if hit else (0, 0, 255)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), colour, 3)
        cv2.putText(image, f"{abs(turned[i].yaw):.0f}", (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.2, colour, 3)
        tiles.append(cv2.resize(image, (180, 180), interpolation=cv2.INTER_AREA).astype(np.uint8))
    cv2.imwrite(str(path), np.vstack([np.hstack(tiles[k : k + 8]) for k in range(0, 40, 8)]))


if __name__ == "__main__":
    main()

"""How many of the labelled faces does FaceFinder find, set by set?

    python tests/benchmarks/faces_found.py [--faces FOLDER] [--per-set 300] [--small | --lamps]

A face counts as found where any face is found in its picture (they are head pictures of one person). Sets marked * took
no part in training the face check; of the others, the pictures of part "test" did not either. A table in Markdown.
"""

import argparse
import csv
import random
import sys
from collections import defaultdict
from pathlib import Path
from unittest import mock

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from lamps import LAMPS, lit

from mouth_live.models import FaceFinder, OpennessModel, crop_faces, load_openness_model
from mouth_live.models.face import Face, iou
from mouth_live.models.training.face_check_data import HELD_OUT_SETS

WALL, PLACES, WIDTHS = (1080, 1920), (3, 4), (60, 50, 40, 30, 24)
SHARED = Path(__file__).parents[3] / "shared" / "faces"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, default=SHARED)
    parser.add_argument("--per-set", type=int, default=300, help="pictures of each set, chosen at random (seed 0)")
    parser.add_argument("--small", action="store_true", help="distant faces instead")
    parser.add_argument("--lamps", action="store_true", help="faces in coloured and in little light instead")
    options = parser.parse_args()
    files: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with (options.faces / "labels.csv").open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                files[row["set"]].append(row["file"])
    except OSError as error:
        sys.exit(f"{options.faces}: cannot read labels.csv ({error.strerror}); give --faces")
    finder, choice = FaceFinder(), random.Random(0)
    if options.small:
        small(options.faces, choice.sample(files["helen"], 120))
        return
    if options.lamps:
        lamps(options.faces, choice.sample(files["helen"], 200) + choice.sample(files["habesha"], 200))
        return
    print("| set | faces | found | |\n|---|---|---|---|")
    for name in sorted(files):
        some = choice.sample(files[name], min(options.per_set, len(files[name])))
        found = sum(bool(finder.find(cv2.imread(str(options.faces / file)))) for file in some)
        held_out = "*" if name in HELD_OUT_SETS else ""
        print(f"| {name}{held_out} | {len(some)} | {found} | {found / len(some):.1%} |", flush=True)


def lamps(folder: Path, files: list[str]) -> None:
    """The table of bad light, beside what is found in the pictures as they are, without :mod:`.light`."""
    finder, model, pictures = FaceFinder(), load_openness_model(device="cpu"), []
    for file in files:
        image = cv2.imread(str(folder / file))
        faces = finder.find(image)
        if len(faces) == 1:
            pictures.append((image, faces[0], model.predict(crop_faces(image, faces))[0]))
    print("| light | faces | found | without models/light.py | openness off by (rms) | without |")
    print("|---|---|---|---|---|---|")
    for lamp in LAMPS:
        shown = [(lit(image, lamp), *rest) for image, *rest in pictures]
        found, off = in_light(finder, model, shown)
        with (
            mock.patch("mouth_live.models.light.well_lit", lambda picture: picture),
            mock.patch("mouth_live.models.blazeface.well_lit", lambda picture: picture),
        ):
            found_raw, off_raw = in_light(finder, model, shown)
        shares = f"{found / len(shown):.1%} | {found_raw / len(shown):.1%}"
        print(f"| {lamp} | {len(shown)} | {shares} | {off:.3f} | {off_raw:.3f} |", flush=True)


def in_light(finder: FaceFinder, model: OpennessModel, shown: list[tuple]) -> tuple[int, float]:
    """How many faces are found, and how far the openness is from that in white light, read at the same place."""
    found = sum(any(iou(seen.box, face.box) > 0.5 for seen in finder.find(image)) for image, face, _ in shown)
    off = [model.predict(crop_faces(image, [face]))[0] - value for image, face, value in shown]
    return found, float(np.sqrt(np.mean(np.square(off))))


def small(folder: Path, files: list[str]) -> None:
    """The table of distant faces."""
    finder, close = FaceFinder(min_face=min(WIDTHS)), []
    for file in files:
        image = cv2.imread(str(folder / file))
        faces = finder.find(image)
        if len(faces) == 1:
            close.append((image, faces[0]))
    print("| width in pixels | faces | found with --min-face 40 | with that width, if smaller |\n|---|---|---|---|")
    for width in WIDTHS:
        finders = [FaceFinder(min_face=40), FaceFinder(min_face=min(40, width))]
        found = [sum(seen(finder, close[k : k + 12], width) for k in range(0, len(close), 12)) for finder in finders]
        print(f"| {width} | {len(close)} | {found[0] / len(close):.0%} | {found[1] / len(close):.0%} |", flush=True)


def seen(finder: FaceFinder, close: list[tuple[np.ndarray, Face]], width: int) -> int:
    """How many of up to twelve faces are found where they were put, shrunk to that width."""
    wall, middles = np.full((*WALL, 3), 120, np.uint8), []
    down, right = WALL[0] // PLACES[0], WALL[1] // PLACES[1]
    for k, (image, face) in enumerate(close):
        scale = width / face.box[2]
        shrunk = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:down, :right]
        top, left = k // PLACES[1] * down, k % PLACES[1] * right
        wall[top : top + shrunk.shape[0], left : left + shrunk.shape[1]] = shrunk
        middles.append((left + scale * (face.box[0] + face.box[2] / 2), top + scale * (face.box[1] + face.box[3] / 2)))
    centres = [(f.box[0] + f.box[2] / 2, f.box[1] + f.box[3] / 2) for f in finder.find(wall)]
    return sum(any(np.hypot(x - u, y - v) < width / 2 for u, v in centres) for x, y in middles)


if __name__ == "__main__":
    main()

"""How many of the labelled faces does FaceFinder find, set by set?

    python tests/benchmarks/faces_found.py [--faces FOLDER] [--per-set 300]

A face counts as found where any face is found in its picture (they are head pictures of one person). Sets marked * took
no part in training the face check; of the others, the pictures of part "test" did not either. A table in Markdown.
"""

import argparse
import csv
import random
import sys
from collections import defaultdict
from pathlib import Path

import cv2

from mouth_live.models import FaceFinder
from mouth_live.models.training.face_check_data import HELD_OUT_SETS

SHARED = Path(__file__).parents[3] / "shared" / "faces"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, default=SHARED)
    parser.add_argument("--per-set", type=int, default=300, help="pictures of each set, chosen at random (seed 0)")
    options = parser.parse_args()
    files: defaultdict[str, list[str]] = defaultdict(list)
    try:
        with (options.faces / "labels.csv").open(newline="", encoding="utf-8") as table:
            for row in csv.DictReader(table):
                files[row["set"]].append(row["file"])
    except OSError as error:
        sys.exit(f"{options.faces}: cannot read labels.csv ({error.strerror}); give --faces")
    finder, choice = FaceFinder(), random.Random(0)
    print("| set | faces | found | |\n|---|---|---|---|")
    for name in sorted(files):
        some = choice.sample(files[name], min(options.per_set, len(files[name])))
        found = sum(bool(finder.find(cv2.imread(str(options.faces / file)))) for file in some)
        held_out = "*" if name in HELD_OUT_SETS else ""
        print(f"| {name}{held_out} | {len(some)} | {found} | {found / len(some):.1%} |", flush=True)


if __name__ == "__main__":
    main()

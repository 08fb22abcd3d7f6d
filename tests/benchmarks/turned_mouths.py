"""Does the openness change because the head turns?

    python tests/benchmarks/turned_mouths.py [--faces FOLDER] [--people 14] [--clips 3]

- Renderings (``tests/turned_heads.py``) of photographed heads whose mouths people labelled as closed or as open, turned
  by known angles: how far the openness is from that of the same head seen from the front, and the reliability. The
  same with the key points that the rendering knows instead of the detector's: what the alignment costs.
- Clips of such heads that turn to both sides, shake and nod, with the mouth held: the events that begin, ``open`` and
  ``activity``. Of a closed mouth there must be none, of an open one no activity.
- Photos with a measured yaw (``turned.csv``): reliability, :func:`head_turn`, and how far the mouth's key point is from
  the annotation, in sizes of the face.

Tables in Markdown. About 6 minutes.
"""

import argparse
import csv
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from turned_heads import Head, head_of, turned

from mouth_live.models import FaceFinder, OpennessModel, crop_faces, load_openness_model
from mouth_live.models.face import Face, head_turn
from mouth_live.realtime import Frame, LipEvent
from mouth_live.realtime.pipeline import Pipeline

SHARED = Path(__file__).parents[3] / "shared" / "faces"
SETS = ("helen", "afw", "lfpw")  # sharp pictures with people's labels
MOUTHS = {"closed": (0.0, 0.02), "open": (0.2, 0.6)}  # gap ratios by people
POSES = [(yaw, 0, 0) for yaw in range(-75, 76, 15)] + [(0, pitch, 0) for pitch in (-30, -15, 15, 30)]
POSES += [(yaw, 0, roll) for yaw in (-45, 45) for roll in (-30, 30)]
YAWS = ((0, 15), (15, 30), (30, 45), (45, 60), (60, 75), (75, 91))
RATE = 25  # frames/s
MOTIONS = {  # name: seconds; yaw and pitch in degrees by the time in seconds
    "turns by 75° to both sides": (6, lambda time: (75 * np.sin(np.pi * time / 3), 0.0)),
    "shakes by 40°, once a second": (3, lambda time: (40 * np.sin(2 * np.pi * time), 0.0)),
    "nods by 20°, once a second": (3, lambda time: (0.0, 20 * np.sin(2 * np.pi * time))),
}


@dataclass(frozen=True)
class Look:
    """One head in one pose: the openness off that from the front, and its reliability; NaN where it was not found."""

    angles: tuple[int, int, int]
    verified: bool
    off: float
    reliability: float
    off_aligned: float
    """The same with the key points of the rendering."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, default=SHARED)
    parser.add_argument("--people", type=int, default=14, help="heads with closed and with open mouths")
    parser.add_argument("--clips", type=int, default=3, help="of these heads that move in clips")
    options = parser.parse_args()
    if not (options.faces / "labels.csv").is_file():
        sys.exit(f"{options.faces}: no labels.csv there; give --faces")
    model = load_openness_model()
    for mouth, gaps in MOUTHS.items():
        heads = frontal_heads(options.faces, gaps, options.people)
        print_poses(mouth, [look for head in heads for look in looks(head, model)])
        print_events(mouth, heads[: options.clips])
    print_photos(options.faces, model)


def frontal_heads(folder: Path, gaps: tuple[float, float], count: int) -> list[Head]:
    """Heads that look at the camera, their mouths open by such gap ratios."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["set"] in SETS and row["gap_ratio"]]
    random.Random(0).shuffle(rows)
    finder, heads = FaceFinder(), []
    for row in rows:
        if len(heads) == count:
            break
        if not gaps[0] <= float(row["gap_ratio"]) <= gaps[1]:
            continue
        photo = cv2.imread(str(folder / row["file"]))
        faces = finder.find(photo)
        if len(faces) == 1 and head_turn(faces[0]) < 0.08 and faces[0].box[2] >= 90:
            heads.append(head_of(photo, faces[0]))
    return heads


def looks(head: Head, model: OpennessModel) -> Iterator[Look]:
    """The head in all poses."""
    finder, verifier = FaceFinder(check=False), FaceFinder()
    front, _, front_aligned = read(head, (0, 0, 0), finder, model)
    for angles in POSES:
        value, reliability, aligned = read(head, angles, finder, model)
        verified = bool(verifier.find(turned(head, *angles)[0]))
        yield Look(angles, verified, value - front, reliability, aligned - front_aligned)


def read(
    head: Head, angles: tuple[int, int, int], finder: FaceFinder, model: OpennessModel
) -> tuple[float, float, float]:
    """Openness and reliability by the detector's key points, NaN for a face not found; openness by the true ones."""
    picture, keypoints = turned(head, *angles)
    true = Face((0.0, 0.0, 1.0, 1.0), keypoints.astype(np.float32), 1.0)
    middle = picture.shape[0] / 2
    faces = [face for face in finder.find(picture) if np.abs(box_middle(face) - middle).max() < 50]
    estimates = model.read(crop_faces(picture, [true, *faces[:1]]))
    found = (float(estimates.openness[1]), float(estimates.reliability[1])) if faces else (np.nan, np.nan)
    return *found, float(estimates.openness[0])


def box_middle(face: Face) -> NDArray[np.float64]:
    x, y, width, height = face.box
    return np.array([x + width / 2, y + height / 2])


def print_poses(mouth: str, seen: Sequence[Look]) -> None:
    print(
        f"\n| mouth {mouth}: yaw, pitch, roll | heads | found | verified | off by, mean | rms | reliability |", end=""
    )
    print(" rms, true key points |\n|---|---|---|---|---|---|---|---|")
    for yaw, pitch, roll in dict.fromkeys((abs(y), p, abs(r)) for y, p, r in POSES):
        here = [s for s in seen if (abs(s.angles[0]), s.angles[1], abs(s.angles[2])) == (yaw, pitch, roll)]
        off, aligned = np.array([s.off for s in here]), np.array([s.off_aligned for s in here])
        print(
            f"| {yaw}°, {pitch}°, {roll}° | {len(here)} | {np.isfinite(off).mean():.0%} "
            f"| {np.mean([s.verified for s in here]):.0%} | {np.nanmean(off):+.2f} | {rms(off):.2f} "
            f"| {np.nanmean([s.reliability for s in here]):.2f} | {rms(aligned):.2f} |",
            flush=True,
        )


def rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def print_events(mouth: str, heads: Sequence[Head]) -> None:
    print(f"\n| head with mouth {mouth} | clips | open begins | activity begins |\n|---|---|---|---|")
    for name, (seconds, motion) in MOTIONS.items():
        begun = [e.kind for head in heads for e in events(head, seconds, motion) if e.type == "start"]
        print(f"| {name} | {len(heads)} | {begun.count('open')} | {begun.count('activity')} |", flush=True)


def events(head: Head, seconds: float, motion: Callable[[float], tuple[float, float]]) -> list[LipEvent]:
    """What the event engine reports of a head that rests for a second and then moves."""
    times = [n / RATE for n in range(round(RATE * (seconds + 1)))]
    frames = (
        Frame(n, time, turned(head, *(motion(time - 1) if time >= 1 else (0, 0)), size=200)[0])
        for n, time in enumerate(times)
    )
    return [event for analysis in Pipeline().run(frames) for event in analysis.events]


def print_photos(folder: Path, model: OpennessModel) -> None:
    with (folder / "turned.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    random.Random(0).shuffle(rows)
    finder = FaceFinder(check=False)
    print("\n| photos, yaw | found | reliability | below 0.3 | head_turn | above 0.9 | mouth point off by, median |")
    print("|---|---|---|---|---|---|---|")
    for low, high in YAWS:
        some = [row for row in rows if low <= abs(float(row["yaw"])) < high][:100]
        values = np.array([one for row in some if (one := read_photo(folder, row, finder, model))])
        reliability, turn, off = values.T
        print(
            f"| {low}° to {min(high, 90)}° | {len(values)} of {len(some)} | {reliability.mean():.2f} "
            f"| {np.mean(reliability < 0.3):.0%} | {np.median(turn):.2f} | {np.mean(turn > 0.9):.0%} "
            f"| {np.median(off):.3f} |",
            flush=True,
        )


def read_photo(
    folder: Path, row: dict[str, str], finder: FaceFinder, model: OpennessModel
) -> tuple[float, float, float] | None:
    """Reliability, head turn, and the distance of the mouth's key point from the annotation, in sizes of the face."""
    photo = cv2.imread(str(folder / row["file"]))
    x, y, width, height, mouth_x, mouth_y = (float(row[n]) for n in ("x", "y", "width", "height", "mouth_x", "mouth_y"))
    middle = np.array([x + width / 2, y + height / 2])
    faces = [face for face in finder.find(photo) if np.hypot(*(box_middle(face) - middle)) < width / 2]
    if not faces:
        return None
    reliability = float(model.read(crop_faces(photo, faces[:1])).reliability[0])
    off = np.hypot(*(faces[0].keypoints[3] - [mouth_x, mouth_y])) / ((width + height) / 2)
    return reliability, head_turn(faces[0]), float(off)


if __name__ == "__main__":
    main()

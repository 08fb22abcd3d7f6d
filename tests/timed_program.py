"""The program, with a note of when each frame of a clip that plays as the camera is handed out.

    python tests/timed_program.py NOTES serve --camera CLIP

A line of NOTES is a frame's index and the time of the day in milliseconds, which JavaScript's ``Date.now()`` gives too.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from mouth_live.realtime import Frame
from mouth_live.realtime.commands.cli import main
from mouth_live.realtime.video.sources import PacedVideo


class Noted(PacedVideo):
    """Plays a clip and notes when."""

    notes: Path

    def __iter__(self) -> Iterator[Frame]:
        with self.notes.open("w", encoding="ascii", buffering=1) as notes:
            for frame in super().__iter__():
                notes.write(f"{frame.index} {1000 * time.time():.1f}\n")
                yield frame


def read_notes(path: Path) -> dict[int, float]:
    """Return the time of each frame in milliseconds, by the frame's index."""
    lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    return {int(index): float(moment) for index, moment in lines}


if __name__ == "__main__":
    from mouth_live.realtime.video import cameras

    Noted.notes = Path(sys.argv.pop(1))
    cameras.PacedVideo = Noted
    main()

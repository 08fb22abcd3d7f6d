"""``mouth-live events``: lip events as JSON lines on stdout."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

from .cameras import open_camera
from .pipeline import Pipeline
from .records import Analysis
from .relay import Relay
from .sources import open_video
from .triggers import lip_events


def write_event_lines(file: str | None, camera: str | None, values: bool) -> None:
    """Write the events of a recording or of a camera as they come; each line is flushed.

    Args:
        file: a recording.
        camera: a camera as CONTRACT's SOURCE; the default camera where neither is given.
        values: a line for each reading too.

    Raises:
        SourceError: the source cannot be read, or was cut off; the stops of what was on are written before.
    """
    with ExitStack() as stack:
        video = stack.enter_context(open_video(file) if file else open_camera(camera or "0"))
        ahead = stack.enter_context(Relay(video, depth=4 if file else 1, drop=not file))
        analyses = stack.enter_context(closing(Pipeline().run(ahead)))
        for event in lip_events(_with_values(analyses) if values else analyses):
            _write(
                {"type": event.type, "kind": event.kind, "face_id": event.face_id, "timestamp": round(event.time, 6)}
            )


def _with_values(analyses: Iterator[Analysis]) -> Iterator[Analysis]:
    for analysis in analyses:
        for reading in analysis.readings:
            _write(
                {
                    "type": "value",
                    "face_id": reading.face_id,
                    "timestamp": round(analysis.frame.time, 6),
                    "openness": round(reading.openness, 4),
                    "openness_raw": round(reading.raw, 4),
                }
            )
        yield analysis


def _write(line: dict[str, str | float | int | None]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()

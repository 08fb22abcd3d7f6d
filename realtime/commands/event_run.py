"""The work of ``mouth-live events``: write the events of a recording or a camera as JSON lines or as intervals."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...models.errors import IncompleteVideoError
from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..session import Session, open_session
from ..settings import AnalysisSettings
from ..sinks.event_lines import EventLines
from ..sinks.interval_sink import IntervalSink
from ..sinks.missing_face import MissingFace
from ..sinks.progress import Progress
from .file_formats import JSON

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class EventProduct:
    """The options for writing events.

    Attributes:
        format_name: ``"json"`` or one of the interval formats.
        output: the file; None or ``-`` for stdout.
        values: write a JSON line for each reading too.
        face: whose events to write, as :class:`.FaceChoice` takes it; None: everyone's, each under its own id.
        preset: the preset's name, written into each line; empty for none.
    """

    format_name: str = JSON
    output: Path | None = None
    values: bool = False
    face: str | None = None
    preset: str = ""


def write_events(
    source: Path | str, product: EventProduct, settings: AnalysisSettings, outputs: Sequence[Output] = ()
) -> None:
    """Write the events, each start with its stop. Ctrl-C is the normal end of a camera.

    Args:
        source: the path of a recording, or a camera as text, as on the command line.
        product: what to write.
        settings: the settings of the analysis.
        outputs: the apps to send to as well.

    Raises:
        SourceError: the source cannot be read, or is cut off. All events before that are written.
        SinkError: the output cannot be written.
    """
    cut_off: IncompleteVideoError | None = None
    with open_session(source, settings, live=isinstance(source, str)) as session:
        sink = _sink(product, session, source)
        progress = Progress(session.source.name, session.frame_count, shown=sink.path is not None)
        try:
            session.run([sink, progress, MissingFace(product.face)], outputs, product.face or LARGEST)
        except IncompleteVideoError as error:
            cut_off = error
    if sink.path is not None:
        log.info("%s: %s, %s -> %s", source, progress.counts, sink.counts, sink.path)
    if cut_off:
        raise cut_off


def _sink(product: EventProduct, session: Session, source: Path | str) -> EventLines | IntervalSink:
    if product.format_name == JSON:
        return EventLines(product.output, product.values, product.face, product.preset)
    video, media = session.source, str(source) if isinstance(source, Path) else ""
    return IntervalSink(
        product.output,
        product.format_name,
        start_time=video.start_time,
        rate=video.nominal_rate,
        media=media,
        face=product.face,
    )

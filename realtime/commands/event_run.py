"""What ``mouth-live events`` does: the events of a recording or of a camera, written as lines or as intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..session import Session, open_session
from ..settings import AnalysisSettings
from ..sinks.event_lines import EventLines
from ..sinks.interval_sink import IntervalSink
from ..sinks.sink import Sink
from .events import JSON


@dataclass(frozen=True, slots=True)
class EventProduct:
    """How events are written.

    Attributes:
        form: ``"json"`` or one of the interval formats.
        output: the file; None or ``-`` for stdout.
        values: write a JSON line for each reading too.
        face: whose events, as :class:`.FaceChoice` takes it; None: everyone's, each under its own id.
        preset: the limits' name, given in each line; empty for none.
    """

    form: str = JSON
    output: Path | None = None
    values: bool = False
    face: str | None = None
    preset: str = ""


def write_events(
    source: Path | str, product: EventProduct, settings: AnalysisSettings, outputs: Sequence[Output] = ()
) -> None:
    """Write the events; each start has its stop. Ctrl-C is how a camera is ended.

    Args:
        source: a recording as a path; a camera as a text, as on the command line.
        product: what to write.
        settings: of the analysis.
        outputs: the apps to send to as well.

    Raises:
        SourceError: the source cannot be read, or was cut off; what was read until then is written before.
        SinkError: the output cannot be written.
    """
    with open_session(source, settings, live=isinstance(source, str)) as session:
        session.run([_sink(product, session, source)], outputs, product.face or LARGEST)


def _sink(product: EventProduct, session: Session, source: Path | str) -> Sink:
    if product.form == JSON:
        return EventLines(product.output, product.values, product.face, product.preset)
    video, media = session.source, str(source) if isinstance(source, Path) else ""
    return IntervalSink(
        product.output, product.form, start=video.start, rate=video.nominal_rate, media=media, face=product.face
    )

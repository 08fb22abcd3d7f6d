"""``mouth-live events``: lip events as JSON lines as they come, or as intervals when the source has ended."""

import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ...models.errors import IncompleteVideoError, SinkError
from ...models.openness import DEFAULT_WEIGHTS, load_openness_model
from ..lips.activity import LipActivity
from ..lips.event_json import event_json, value_json
from ..lips.face_choice import ANYONE, LARGEST, FaceChoice
from ..lips.intervals import IntervalCollector
from ..lips.limits import DEFAULT, Kind, Limits
from ..lips.ongoing_events import OngoingEvents
from ..lips.profiles import profile_for
from ..outputs.fan_out import FanOut
from ..outputs.output import Output
from ..pipeline import Pipeline
from ..records import Analysis, Reading
from ..sinks.csv_sink import part_name
from ..sinks.interval_formats import FORMATS
from ..video.cameras import open_camera
from ..video.reader import SILENCE, STALL, Relay
from ..video.sources import VideoSource, open_video

JSON = "json"


@dataclass(frozen=True, slots=True)
class EventSettings:
    """Where events come from and how they are written.

    Attributes:
        file: a recording; None: the camera.
        camera: a camera as CONTRACT's SOURCE.
        values: a JSON line for each reading too.
        limits: the kinds to watch for, with their limits.
        face: whose events, as :class:`FaceChoice` takes it; None: everyone's, each under its own id.
        profile: the name of the person's own range; None leaves the network's scale.
        format: ``"json"`` or one of the interval formats.
        output: the file; None: stdout.
        preset: the limits' name, told in each line; empty for none.
        model: weights by name or path.
        outputs: the apps to send to as well.
    """

    file: str | None = None
    camera: str = "0"
    values: bool = False
    limits: Mapping[Kind, Limits] = field(default_factory=lambda: DEFAULT)
    face: str | None = None
    profile: str | None = None
    format: str = JSON
    output: Path | None = None
    preset: str = ""
    model: str = DEFAULT_WEIGHTS
    outputs: Sequence[Output] = ()


def write_events(settings: EventSettings) -> None:
    """Write the events of a recording or of a camera; each start has its stop. Ctrl-C is how a camera is ended.

    Raises:
        SourceError: the source cannot be read, or was cut off; what was read until then is written before.
        SinkError: the output cannot be written.
    """
    live = settings.file is None
    with ExitStack() as stack:
        model = load_openness_model(settings.model)
        out = stack.enter_context(_output(settings.output))
        video = stack.enter_context(open_video(settings.file) if settings.file else open_camera(settings.camera))
        relay = Relay(
            video,
            depth=1 if live else 4,
            drop=live,
            stall=STALL if live else None,
            silence=SILENCE if live else None,
        )
        pipeline = Pipeline(
            model=model, profile=profile_for(settings.profile, model.name), lips=LipActivity(settings.limits)
        )
        analyses = stack.enter_context(closing(pipeline.run(stack.enter_context(relay))))
        apps = stack.enter_context(FanOut(settings.outputs, settings.face or LARGEST, live))
        analyses = apps.passing(analyses)
        cut_off = (
            _write_lines(settings, analyses, out)
            if settings.format == JSON
            else _write_intervals(settings, video, analyses, out)
        )
    if cut_off is not None and not (live and isinstance(cut_off, KeyboardInterrupt)):
        raise cut_off


def _write_lines(settings: EventSettings, analyses: Iterator[Analysis], out: TextIO) -> BaseException | None:
    """A JSON line for each event, and with ``values`` for each reading, flushed; what cut the source off."""
    choice = None if settings.face is None else FaceChoice(settings.face)
    running, time = OngoingEvents(), 0.0
    try:
        for analysis in analyses:
            time = analysis.frame.time
            if settings.values:
                for reading in _readings(analysis, choice):
                    face_id = None if choice is not None and choice.mode == ANYONE else reading.face_id
                    _put(out, value_json(face_id, time, reading.openness, reading.raw))
            for event in analysis.events if choice is None else choice.events(analysis):
                running.take(event)
                _put(out, event_json(event, settings.preset))
    except (IncompleteVideoError, KeyboardInterrupt) as error:
        return error
    finally:
        for event in running.stops(time):
            _put(out, event_json(event, settings.preset))
    return None


def _readings(analysis: Analysis, choice: FaceChoice | None) -> Sequence[Reading]:
    if choice is None:
        return analysis.readings
    chosen = choice.choose(analysis)
    return () if chosen is None else (chosen,)


def _put(out: TextIO, line: str) -> None:
    out.write(line + "\n")
    out.flush()


def _write_intervals(
    settings: EventSettings, video: VideoSource, analyses: Iterator[Analysis], out: TextIO
) -> BaseException | None:
    """All intervals at the end, in media time; what cut the source off."""
    choice = None if settings.face is None else FaceChoice(settings.face)
    collector, running, time = IntervalCollector(video.start), OngoingEvents(), 0.0
    cut_off: BaseException | None = None
    try:
        for analysis in analyses:
            time = analysis.frame.time
            if choice is None:
                collector.see(reading.face_id for reading in analysis.readings)
            for event in analysis.events if choice is None else choice.events(analysis):
                running.take(event)
                collector.take(event)
    except IncompleteVideoError as error:
        cut_off = error  # what could be read is kept
    except KeyboardInterrupt as error:
        if settings.file is not None:
            raise
        cut_off = error
    for event in running.stops(time):
        collector.take(event)
    found = collector.intervals(time + 1 / video.nominal_rate, settings.file or "")
    out.write(FORMATS[settings.format](found))
    return cut_off


@contextmanager
def _output(path: Path | None) -> Generator[TextIO]:
    """Stdout, or a file that gets its name when it is whole: until then it is ``OUT.part``."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    part = part_name(path)
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SinkError(f"{path}: cannot write it ({error.strerror or error}); give another -o or make room") from None

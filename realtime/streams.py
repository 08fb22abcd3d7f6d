"""Analyses and lip events for a program of your own: as a loop, or by a callback. Each start has its stop."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from os import PathLike
from typing import cast

import numpy as np

from ..models.checked import checked_type
from .lips.face_choice import FaceChoice
from .lips.ongoing_events import OngoingEvents
from .pipeline import Pipeline
from .records import Analysis, LipEvent
from .session import Session, open_session
from .system.signals import held_signals
from .video.opening import Source, checked_source, is_live, open_source

Analyses = Iterable[Analysis] | str | PathLike[str] | int
"""Analyses; or a camera's index, a path or a URL, which is analysed."""


def analyze(source: Source, pipeline: Pipeline | None = None) -> Iterator[Analysis]:
    """Analyse a recorded video to its end, or a camera until the loop is left.

    Args:
        source: a camera's index as an int; the path of a video, a picture or a folder of frames; a URL; or an iterable
            of (h, w, 3) uint8 BGR arrays or of (time in seconds, array) pairs.
        pipeline: an unused one with other settings; for a folder, set its ``detect_interval`` to 0. None: the defaults.

    Yields:
        One analysis for each frame of a recording, or for the newest frame of a camera. A camera that gives no picture
        yields a silent analysis.

    Raises:
        SourceError: the source cannot be read.
        TypeError, ValueError: it is nothing that can be analysed, or an array has another shape or dtype.
    """
    source = checked_source(source)
    if pipeline is not None:
        checked_type(pipeline, Pipeline, "pipeline")
    return _analyses(source, pipeline)


def _analyses(source: Source, pipeline: Pipeline | None) -> Iterator[Analysis]:
    live = is_live(source)
    if pipeline is None:
        session = open_session(source, live=live)
    else:
        session = Session(open_source(source, live), pipeline, live)
    with session, closing(cast("Generator[Analysis]", iter(session))) as analyses:
        yield from analyses


def lip_events(analyses: Analyses) -> Iterator[LipEvent]:
    """Yield the lip events of analysed frames. When the frames end or fail, yield the stops of all that is on first.

    Nobody takes the last stops if your own loop fails or is left early. :func:`watch_lips` calls back for these too.

    Args:
        analyses: from :func:`analyze`; or a camera's index, a path or a URL, which is analysed.

    Yields:
        Events in the order in which they were decided.

    Raises:
        TypeError: ``analyses`` is neither.
        SourceError: the source cannot be read, or is cut off; raised after the last stop.
    """
    return _events(_as_analyses(analyses))


def _events(analyses: Iterable[Analysis]) -> Iterator[LipEvent]:
    ongoing, time = OngoingEvents(), 0.0
    failure: BaseException | None = None
    try:
        for analysis in analyses:
            time = analysis.frame.time
            for event in analysis.events:
                ongoing.take(event)
                yield event
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001
        failure = error
    yield from ongoing.stops(time)
    if failure is not None:
        raise failure


def watch_lips(
    analyses: Analyses,
    callback: Callable[[LipEvent], object],
    choice: FaceChoice | None = None,
) -> None:
    """Call back for each lip event, in this thread, until the source ends.

    Each start that the callback gets is followed by its stop, whatever ends the loop: the end of the source, an error
    in it or in the callback, or Ctrl-C. No signal interrupts a call. SIGTERM ends Python at once and without any stop,
    unless your program handles it: ``signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))``.

    Args:
        analyses: from :func:`analyze`; or a camera's index, a path or a URL, which is analysed.
        callback: gets each event.
        choice: whose events; None: everyone's.

    Raises:
        TypeError: ``analyses`` is neither, or ``callback`` cannot be called.
        SourceError: the source cannot be read, or is cut off; raised after the last stop.
    """
    if not callable(callback):
        raise TypeError(f"callback: expected a function that takes an event, got {type(callback).__name__}")
    if choice is not None:
        checked_type(choice, FaceChoice, "choice")
    ongoing, time = OngoingEvents(), 0.0
    try:
        for analysis in _as_analyses(analyses):
            time = analysis.frame.time
            for event in analysis.events if choice is None else choice.events(analysis):
                with held_signals():
                    ongoing.take(event)
                    callback(event)
    finally:
        with held_signals():
            for event in ongoing.stops(time):
                callback(event)


def _as_analyses(analyses: Analyses) -> Iterator[Analysis]:
    """Return analyses as they are, and those of a source that is named.

    Raises:
        TypeError: they are neither.
    """
    if isinstance(analyses, str | PathLike | int | bytes | np.integer):
        return analyze(cast("Source", analyses))
    if not isinstance(analyses, Iterable) or hasattr(analyses, "dtype"):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"analyses: expected analyze(...), a path or a camera's index, got {type(analyses).__name__}")
    return (checked_type(analysis, Analysis, "analyses", "; wrap pictures in analyze(...)") for analysis in analyses)

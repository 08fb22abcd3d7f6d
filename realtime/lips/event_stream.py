"""The lip events of analysed frames, for a loop or for a callback. Each start has its stop."""

from collections.abc import Callable, Iterable, Iterator

from ..records import Analysis, LipEvent
from ..system.signals import held_signals
from .face_choice import FaceChoice
from .ongoing_events import OngoingEvents


def lip_events(analyses: Iterable[Analysis]) -> Iterator[LipEvent]:
    """Yield the lip events of analysed frames. When the frames end or fail, yield the stops of all that is on first.

    Nobody takes the last stops if your own loop fails or is left early. :func:`watch_lips` calls back for these too.

    Args:
        analyses: from :func:`mouth_live.realtime.analyze`.

    Yields:
        Events in the order in which they were decided.
    """
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
    analyses: Iterable[Analysis], callback: Callable[[LipEvent], object], choice: FaceChoice | None = None
) -> None:
    """Call back for each lip event, in this thread, until the source ends.

    Each start that the callback gets is followed by its stop, whatever ends the loop: the end of the source, an error
    in it or in the callback, or Ctrl-C. No signal interrupts a call. SIGTERM ends Python at once and without any stop,
    unless your program handles it: ``signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))``.

    Args:
        analyses: from :func:`mouth_live.realtime.analyze`.
        callback: gets each event.
        choice: whose events; None: everyone's.
    """
    ongoing, time = OngoingEvents(), 0.0
    try:
        for analysis in analyses:
            time = analysis.frame.time
            for event in analysis.events if choice is None else choice.events(analysis):
                with held_signals():
                    ongoing.take(event)
                    callback(event)
    finally:
        with held_signals():
            for event in ongoing.stops(time):
                callback(event)

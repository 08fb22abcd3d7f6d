"""No start without its stop: what runs is remembered, and stopped whatever ends the source."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ..records import Analysis, LipEvent
from ..system.signals import held_signals
from .face_choice import FaceChoice


class RunningEvents:
    """The starts that have no stop yet."""

    def __init__(self) -> None:
        """Begin with nothing on."""
        self._starts: dict[tuple[str, int | None], LipEvent] = {}

    def take(self, event: LipEvent) -> None:
        """Remember a start, or forget it when its stop has come."""
        if event.type == "start":
            self._starts[event.kind, event.face_id] = event
        else:
            self._starts.pop((event.kind, event.face_id), None)

    def stops(self, time: float) -> list[LipEvent]:
        """The stops of all that still runs, at a time in the source's seconds; after them nothing does."""
        starts, self._starts = self._starts, {}
        return [replace(e, type="stop", time=max(time, e.time), decided=max(time, e.time)) for e in starts.values()]


def lip_events(analyses: Iterable[Analysis]) -> Iterator[LipEvent]:
    """The lip events of analysed frames; what is still on when they end, or when they fail, is stopped first.

    If the code in your own loop fails, or leaves it, there is nobody to give the last stops to:
    :func:`watch_lips` calls back for these too.

    Args:
        analyses: from :func:`mouth_live.realtime.analyze`.

    Yields:
        Events in the order in which they were decided.
    """
    running, time = RunningEvents(), 0.0
    failure: BaseException | None = None
    try:
        for analysis in analyses:
            time = analysis.frame.time
            for event in analysis.events:
                running.take(event)
                yield event
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001
        failure = error
    yield from running.stops(time)
    if failure is not None:
        raise failure


def watch_lips(
    analyses: Iterable[Analysis], callback: Callable[[LipEvent], object], choice: FaceChoice | None = None
) -> None:
    """Call back for each lip event, in this thread, until the source ends.

    Whatever ends it (the source's end, an error in it or in the callback, Ctrl-C), the callback is called with the stop
    of each event that it was told the start of; no signal breaks a call off. SIGTERM ends Python at once, without any
    stop, unless your program handles it: ``signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))``.

    Args:
        analyses: from :func:`mouth_live.realtime.analyze`.
        callback: gets each event.
        choice: whose events; None: everyone's.
    """
    running, time = RunningEvents(), 0.0
    try:
        for analysis in analyses:
            time = analysis.frame.time
            for event in analysis.events if choice is None else choice.events(analysis):
                with held_signals():
                    running.take(event)
                    callback(event)
    finally:
        with held_signals():
            for event in running.stops(time):
                callback(event)

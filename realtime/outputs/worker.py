"""One output's thread: it passes moments on, reconnects, and stops at the end whatever it started."""

import logging
from time import monotonic

from ...models.errors import ReceiverError, RefusedError
from ..records import LipEvent
from ..system.threads import new_thread
from .mailbox import Mailbox
from .moments import Moment, Slot
from .output import Output

log = logging.getLogger("mouth_live")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0  # s between tries to reach a receiver; each pause is twice the one before
SILENCE = 1.5  # s without a frame from a live source until all is stopped
LOOK = 0.5  # s between looks at the clock

_Key = tuple[str, int | None]


class Worker:
    """Drives one output beside the capture loop.

    It remembers which starts the receiver was told. So each has its stop: when the face is lost, when frames stay away,
    and at the end, however that comes. After an outage the receiver is told what holds now, not all that it missed.

    Attributes:
        mailbox: where the capture loop puts its moments.
        failure: what ended the thread, if not the end of the program.
    """

    def __init__(self, output: Output, live: bool) -> None:
        """Say what to drive; the thread starts with :meth:`start`.

        Args:
            output: prepared.
            live: stop everything when no frame comes for a while.
        """
        self.mailbox = Mailbox(output.newest_only)
        self.failure: BaseException | None = None
        self._output, self._live = output, live
        self._now: dict[_Key, LipEvent] = {}  # starts that hold, as the capture loop says
        self._told: dict[_Key, LipEvent] = {}  # starts that the receiver was told, without their stop
        self._last = Moment(0.0)
        self._arrived = monotonic()
        self._lost = self._silent = False
        self._pause = FIRST_PAUSE
        self._thread = new_thread(f"output {output.name}", self._run)

    @property
    def name(self) -> str:
        """The output's name."""
        return self._output.name

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._keep_going()
        except BaseException as error:  # noqa: BLE001
            self.failure = error

    def _keep_going(self) -> None:
        """Serve until the end; after a failure try again, after a longer pause each time."""
        while True:
            try:
                self._serve()
            except RefusedError as error:
                log.warning("%s: %s; it gets nothing more", self.name, error)
                self.mailbox.close()
                return
            except BrokenPipeError:  # stdout's reader has gone: the whole program ends
                raise
            except (ReceiverError, OSError) as error:
                self._report(error)
            else:
                return
            finally:
                self._output.close()
            if self.mailbox.wait_closed(self._pause):
                self._try_last()
                return
            self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _serve(self) -> None:
        """Connect, pass on all that comes, and at the end the stops."""
        self._output.open(lambda: self.mailbox.closed)
        if self._lost:
            self._absorb()
            self._send(self._catch_up())
        while (moment := self._next()) is not None:
            self._send(moment)
        self._send(self._stops())

    def _next(self) -> Moment | None:
        """What to send next; None at the end."""
        beat = monotonic()
        while True:
            moment = self._output.take(self.mailbox, min(self._output.heartbeat or LOOK, LOOK))
            now = monotonic()
            if moment is not None:
                self._note(moment)
                self._arrived = now
                if self._silent:
                    self._silent = False
                    return self._catch_up()
                return self._consistent(moment)
            if self.mailbox.closed:
                return None
            if self._live and not self._silent and now - self._arrived > SILENCE:
                self._silent = True
                return self._stops()
            if self._output.heartbeat and now - beat >= self._output.heartbeat:
                return Moment(self._last.time, slot=Slot() if self._silent else self._last.slot)

    def _send(self, moment: Moment) -> None:
        self._output.send(moment)
        for event in moment.events:
            if event.type == "start":
                self._told[event.kind, event.face_id] = event
            else:
                self._told.pop((event.kind, event.face_id), None)
        if self._lost:
            self._lost, self._pause = False, FIRST_PAUSE
            log.info("%s: answers now", self.name)

    def _note(self, moment: Moment) -> None:
        """Keep what holds now."""
        self._last = moment
        for event in moment.events:
            if event.type == "start":
                self._now[event.kind, event.face_id] = event
            else:
                self._now.pop((event.kind, event.face_id), None)

    def _absorb(self) -> None:
        """Take in what came during an outage without sending it."""
        for moment in self.mailbox.drain():
            self._note(moment)
            self._arrived = monotonic()

    def _consistent(self, moment: Moment) -> Moment:
        """The moment without a start that the receiver was told already, or a stop of what it was not told."""
        on = set(self._told)
        events: list[LipEvent] = []
        for event in moment.events:
            key = (event.kind, event.face_id)
            if (event.type == "start") != (key in on):
                events.append(event)
                on ^= {key}
        if len(events) == len(moment.events):
            return moment
        return Moment(moment.time, moment.values, tuple(events), moment.slot, moment.turns)

    def _catch_up(self) -> Moment:
        """From what the receiver was told, perhaps before it was started anew, to what holds now."""
        over = [self._stop(start) for key, start in self._told.items() if key not in self._now]
        return Moment(self._last.time, self._last.values, (*over, *self._now.values()), self._last.slot, turns=True)

    def _stops(self) -> Moment:
        """The stops of all that the receiver was told, and an empty slot."""
        return Moment(self._last.time, events=tuple(self._stop(start) for start in self._told.values()), turns=True)

    def _stop(self, start: LipEvent) -> LipEvent:
        time = max(start.time, self._last.time)
        return LipEvent("stop", start.kind, start.face_id, time, decided=time)

    def _try_last(self) -> None:
        """At the end of the program, with the receiver lost: one more try to tell it the stops."""
        if not self._told:
            return
        try:
            self._output.open(lambda: False)
            self._output.send(self._stops())
        except (ReceiverError, OSError):
            log.warning("%s: could not be told that all has stopped", self.name)
        finally:
            self._output.close()

    def _report(self, error: Exception) -> None:
        """One line for an outage."""
        if not self._lost:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            log.warning("%s: %s; trying again until it answers", self.name, reason)
        self._lost = True

"""One output's thread: it sends updates, reconnects, and at the end stops all that it started."""

import logging
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

from ...models.errors import ReceiverError, RefusedError
from ..lips.ongoing_events import OngoingEvents
from ..records import LipEvent
from ..system.threads import new_thread
from .mailbox import Mailbox
from .output import Output
from .update import Slot, Update

log = logging.getLogger("mouth_live")

FIRST_RETRY_DELAY, MAX_RETRY_DELAY = 0.25, 2.0  # s between attempts to connect; each delay is twice the one before
SILENCE_TIMEOUT = 1.5  # s without a frame from a live source until everything is stopped
POLL_INTERVAL = 0.5  # s between checks of the clock


@dataclass(frozen=True, slots=True)
class OutputState:
    """How an output is doing.

    Attributes:
        name: the output's.
        state: ``"sending"``; ``"waiting"`` for its receiver to answer; ``"refused"`` by it, for good.
        sent: the number of updates that it was sent so far.
    """

    name: str
    state: Literal["sending", "waiting", "refused"]
    sent: int


class Worker:
    """Drives one output in a thread of its own.

    It keeps account of the starts that the receiver was sent, so that each gets its stop: when the face is lost, when
    no frames come, and however the program ends. After an outage it sends what is on now, not all that was missed.

    Attributes:
        mailbox: takes the updates of the capture loop.
        failure: the error that ended the thread; None while it runs and after a regular end.
    """

    def __init__(self, output: Output, live: bool) -> None:
        """Prepare the thread; :meth:`start` starts it.

        Args:
            output: prepared.
            live: stop everything when no frame comes for a while.
        """
        self.mailbox = Mailbox(output.newest_only)
        self.failure: BaseException | None = None
        self._output, self._live = output, live
        self._ongoing = OngoingEvents()  # what is on in the source
        self._sent = OngoingEvents()  # what is on for the receiver
        self._sent_slot: Slot | None = None  # the last one on this connection
        self._latest = Update(0.0)
        self._arrived = monotonic()
        self._lost = self._silent = self._open = self._refused = False
        self._count = 0
        self._retry_delay = FIRST_RETRY_DELAY
        self._thread = new_thread(f"output {output.name}", self._run)

    @property
    def name(self) -> str:
        """Return the output's name."""
        return self._output.name

    @property
    def state(self) -> OutputState:
        """Return how the output is doing; any thread may ask."""
        state = "refused" if self._refused else "sending" if self._open and not self._lost else "waiting"
        return OutputState(self.name, state, self._count)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait until the thread ends, ``timeout`` seconds at most; return whether it did."""
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._serve_until_end()
        except BaseException as error:  # noqa: BLE001
            self.failure = error

    def _serve_until_end(self) -> None:
        """Serve until the end; after a failure try again, each time after a longer delay."""
        while True:
            try:
                self._serve()
            except RefusedError as error:
                log.warning("%s: %s; it gets nothing more", self.name, error)
                self._refused = True
                self.mailbox.close()
                return
            except BrokenPipeError:  # stdout's reader is gone: the whole program ends
                raise
            except (ReceiverError, OSError) as error:
                self._report(error)
            else:
                return
            finally:
                self._output.close()
            if self.mailbox.wait_closed(self._retry_delay):
                self._send_last_stops()
                return
            self._retry_delay = min(2 * self._retry_delay, MAX_RETRY_DELAY)

    def _serve(self) -> None:
        """Connect, send all updates, and at the end the stops."""
        self._output.open(lambda: self.mailbox.closed)
        self._open, self._sent_slot = True, None
        if self._lost:
            self._skip_waiting()
            self._send(self._catch_up())
        while (update := self._next()) is not None:
            self._send(update)
        self._send(self._stops())

    def _next(self) -> Update | None:
        """Return what to send next; None at the end."""
        last_beat, interval = monotonic(), self._output.heartbeat_interval
        while True:
            update = self._output.wait_for_update(self.mailbox, min(interval or POLL_INTERVAL, POLL_INTERVAL))
            now = monotonic()
            if update is not None:
                self._take(update)
                self._arrived = now
                if self._silent:
                    self._silent = False
                    return self._catch_up()
                return self._without_repeats(update)
            if self.mailbox.closed:
                return None
            if self._live and not self._silent and now - self._arrived > SILENCE_TIMEOUT:
                self._silent = True
                return self._stops()
            if interval and now - last_beat >= interval:
                return Update(self._latest.time, slot=Slot() if self._silent else self._latest.slot)

    def _send(self, update: Update) -> None:
        self._output.send(replace(update, previous=self._sent_slot))
        self._sent_slot = update.slot
        self._count += 1
        for event in update.events:
            self._sent.take(event)
        if self._lost:
            self._lost, self._retry_delay = False, FIRST_RETRY_DELAY
            log.info("%s: answers now", self.name)

    def _take(self, update: Update) -> None:
        """Keep account of what is on in the source."""
        self._latest = update
        for event in update.events:
            self._ongoing.take(event)

    def _skip_waiting(self) -> None:
        """Take what came during an outage without sending it."""
        for update in self.mailbox.drain():
            self._take(update)
            self._arrived = monotonic()

    def _without_repeats(self, update: Update) -> Update:
        """Return the update without starts that the receiver has, and without stops of what it has not."""
        on = OngoingEvents(self._sent)
        events: list[LipEvent] = []
        for event in update.events:
            if (event.type == "start") != (event in on):
                events.append(event)
                on.take(event)
        return update if len(events) == len(update.events) else replace(update, events=tuple(events))

    def _catch_up(self) -> Update:
        """Return the update from what the receiver was sent to what is on now.

        A start that it has is sent again, for it may have been restarted.
        """
        latest = self._latest
        over = [stop for stop in self._sent.stops(latest.time) if stop not in self._ongoing]
        return Update(latest.time, latest.values, (*over, *self._ongoing), latest.slot, has_changes=True)

    def _stops(self) -> Update:
        """Return the stops of all that the receiver was sent the start of, with an empty slot."""
        return Update(self._latest.time, events=tuple(self._sent.stops(self._latest.time)), has_changes=True)

    def _send_last_stops(self) -> None:
        """Try once more to send the stops, at the end of the program and with the receiver lost."""
        if not self._sent:
            return
        try:
            self._output.open(lambda: False)
            self._output.send(self._stops())
        except (ReceiverError, OSError):
            log.warning("%s: could not be sent the last stops", self.name)
        finally:
            self._output.close()

    def _report(self, error: Exception) -> None:
        """Log one line for an outage."""
        if not self._lost:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            log.warning("%s: %s; trying again until it answers", self.name, reason)
        self._lost = True

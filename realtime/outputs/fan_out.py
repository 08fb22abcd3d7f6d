"""All outputs of a run: one call for each frame, which never waits for a receiver."""

import logging
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from time import monotonic
from types import TracebackType
from typing import Self

from ..lips.face_choice import LARGEST, FaceChoice
from ..records import Analysis
from ..system.threads import new_thread
from .mailbox import Mailbox
from .output import Output
from .update import FaceValue, Slot, Update
from .worker import OutputState, Worker

log = logging.getLogger("mouth_live")

FACE_LOST_DELAY = 0.3  # s without the chosen face until its openness counts as 0
JOIN_TIMEOUT = 3.0  # s at the end for all outputs together


class FanOut:
    """Sends each frame's values and events to all outputs.

    However its ``with`` block ends, each output is sent the stop of each start that it was sent.
    """

    def __init__(self, outputs: Sequence[Output], face: str = LARGEST, live: bool = True) -> None:
        """Take the outputs; nothing is opened yet.

        Args:
            outputs: the receivers.
            face: who drives outputs with room for one face: ``"largest"``, ``"centre"``, a face id in digits or
                ``"anyone"``.
            live: stop everything when no frame comes for a while.

        Raises:
            ValueError: no such face.
        """
        self.choice = FaceChoice(face)
        self._outputs, self._live = outputs, live
        self._workers: list[Worker] = []
        self._inbox = Mailbox()
        self._distributor = new_thread("outputs", self._distribute)
        self._slot = Slot()
        self._seen = 0.0

    def __enter__(self) -> Self:
        """Prepare all outputs, then start them.

        Raises:
            MissingExtraError: an output's library is not installed.
            SinkError: an output can never work here.
        """
        for output in self._outputs:
            output.prepare()
        self._workers = [Worker(output, self._live) for output in self._outputs]
        for worker in self._workers:
            worker.start()
        if self._workers:
            self._distributor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send the stops and close all outputs; a second Ctrl-C does not interrupt this.

        Raises:
            BrokenPipeError: the reader of stdout is gone.
        """
        with suppress(KeyboardInterrupt):
            self._close()
        self._close()
        if kind is None:
            self._raise_failure()

    @property
    def states(self) -> list[OutputState]:
        """How each output is doing; any thread may ask."""
        return [worker.state for worker in self._workers]

    def sent(self, analyses: Generator[Analysis]) -> Generator[Analysis]:
        """Yield analyses after sending each, so that the outputs do not wait for the sinks."""
        with closing(analyses):
            for analysis in analyses:
                self.take(analysis)
                yield analysis

    def take(self, analysis: Analysis) -> None:
        """Send one frame's values and events.

        Raises:
            BrokenPipeError: the reader of stdout is gone.
        """
        if not self._workers:
            return
        self._raise_failure()
        self._inbox.put(self._update(analysis))

    def _distribute(self) -> None:
        """Pass updates on to the workers, in a thread: to wake them all would hold up the capture loop."""
        while (update := self._inbox.take(None)) is not None:
            for worker in self._workers:
                worker.mailbox.put(update)
        for worker in self._workers:
            worker.mailbox.close()

    def _close(self) -> None:
        deadline = monotonic() + JOIN_TIMEOUT
        self._inbox.close()
        if self._workers:
            self._distributor.join(JOIN_TIMEOUT)
        for worker in self._workers:
            if not worker.join(deadline - monotonic()):
                log.warning("%s: did not take its last message in %g s; left", worker.name, JOIN_TIMEOUT)
        self._workers = [w for w in self._workers if w.failure is not None]

    def _raise_failure(self) -> None:
        for worker in self._workers:
            if worker.failure is not None:
                raise worker.failure

    def _update(self, analysis: Analysis) -> Update:
        slot_events = self.choice.events(analysis)
        reading, time = self.choice.choose(analysis), analysis.frame.time
        if reading is not None:
            self._seen, openness = time, reading.openness
        else:
            openness = self._slot.openness if time - self._seen < FACE_LOST_DELAY and not analysis.silent else 0.0
        self._slot = Slot(openness, self.choice.ongoing_kinds, self.choice.face_id)
        return Update(
            time,
            tuple(FaceValue(r.face_id, r.openness, r.raw, r.activity) for r in analysis.readings),
            analysis.events,
            self._slot,
            bool(analysis.events or slot_events),
        )

"""All outputs of a run, as the capture loop sees them: one call a frame that never waits."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Self

from ..lips.face_choice import LARGEST, FaceChoice
from ..records import Analysis
from ..system.threads import new_thread
from .mailbox import Mailbox
from .moments import FaceValue, Moment, Slot
from .output import Output
from .worker import Worker

log = logging.getLogger("mouth_live")

LOST = 0.3  # s without the chosen face until its openness counts as 0
JOIN = 3.0  # s that the outputs have at the end, all together


class FanOut:
    """Hands each frame's news to all outputs.

    At the end of its ``with`` block, however that comes, each output is sent the stop of all that it was told to start.
    """

    def __init__(self, outputs: Sequence[Output], face: str = LARGEST, live: bool = True) -> None:
        """Say where to; nothing is opened yet.

        Args:
            outputs: where to.
            face: who drives outputs with one slot: ``"largest"``, ``"centre"``, a face id in digits or ``"anyone"``.
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
        """Send the stops and close all outputs; a second Ctrl-C does not cut this short.

        Raises:
            BrokenPipeError: the reader of stdout has gone.
        """
        with suppress(KeyboardInterrupt):
            self._close()
        self._close()
        if kind is None:
            self._raise_failure()

    def take(self, analysis: Analysis) -> None:
        """Hand on one frame's values and events.

        Raises:
            BrokenPipeError: the reader of stdout has gone.
        """
        if not self._workers:
            return
        self._raise_failure()
        self._inbox.put(self._moment(analysis))

    def passing(self, analyses: Iterable[Analysis]) -> Iterator[Analysis]:
        """The same analyses, each handed on first.

        Raises:
            BrokenPipeError: the reader of stdout has gone.
        """
        for analysis in analyses:
            self.take(analysis)
            yield analysis

    def _distribute(self) -> None:
        """The thread between: to wake all workers takes longer than the capture loop should."""
        while (moment := self._inbox.take(None)) is not None:
            for worker in self._workers:
                worker.mailbox.put(moment)
        for worker in self._workers:
            worker.mailbox.close()

    def _close(self) -> None:
        deadline = monotonic() + JOIN
        self._inbox.close()
        if self._workers:
            self._distributor.join(JOIN)
        for worker in self._workers:
            if not worker.join(deadline - monotonic()):
                log.warning("%s: did not take its last message in %g s; left", worker.name, JOIN)
        self._workers = [w for w in self._workers if w.failure is not None]

    def _raise_failure(self) -> None:
        for worker in self._workers:
            if worker.failure is not None:
                raise worker.failure

    def _moment(self, analysis: Analysis) -> Moment:
        slot_events = self.choice.events(analysis)
        running = self._slot.running
        for event in slot_events:
            running = running | {event.kind} if event.type == "start" else running - {event.kind}
        reading, time = self.choice.choose(analysis), analysis.frame.time
        if reading is not None:
            self._seen, openness = time, reading.openness
        else:
            openness = self._slot.openness if time - self._seen < LOST and not analysis.silent else 0.0
        self._slot = Slot(openness, running, self.choice.face_id)
        return Moment(
            time,
            tuple(FaceValue(r.face_id, r.openness, r.raw) for r in analysis.readings),
            analysis.events,
            self._slot,
            bool(analysis.events or slot_events),
        )

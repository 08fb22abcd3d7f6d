"""What a run over recordings has done so far, and its closing line."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from .outcome import Outcome
from .plan import Job

log = logging.getLogger("mouth_live")


@dataclass(slots=True)
class Tally:
    """What a run has done so far."""

    done: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failed: dict[Path, str] = field(default_factory=dict[Path, str])
    started: float = field(default_factory=time.monotonic)

    def take(self, job: Job, outcome: Outcome) -> None:
        """Report the outcome of a job, and count it."""
        outcome.report()
        if outcome.busy:
            self.skipped += 1
            log.info("%s", outcome.error)
        elif outcome.error:
            self.failed[job.source] = outcome.error
            log.error("%s", outcome.error)
        else:
            self.done += 1
            self.seconds += outcome.seconds

    def summary(self) -> str:
        """Return the closing line."""
        spent = time.monotonic() - self.started
        text = f"{self.done} done, {self.skipped} skipped, {len(self.failed)} failed in {_clock(spent)}"
        if not self.seconds:
            return text
        return f"{text} ({_length(self.seconds)} of video, {self.seconds / max(spent, 1e-3):.3g} times real time)"


def _clock(seconds: float) -> str:
    """Return a duration as M:SS, or H:MM:SS."""
    whole = round(seconds)
    hours = f"{whole // 3600}:{whole // 60 % 60:02d}" if whole >= 3600 else str(whole // 60)
    return f"{hours}:{whole % 60:02d}"


def _length(seconds: float) -> str:
    """Return the length of video in the unit that suits it."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"

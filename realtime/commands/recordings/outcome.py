"""How a job ended, as data that one process can tell another."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from ....models.errors import BusyError, MouthLiveError
from .work import Work

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        error: the line that says why it failed; empty where it did not.
        busy: whether it was left to another run that makes the same product.
        seconds: the length of the recording in seconds; 0 after an error.
        messages: what is to be reported, (level, text) each.
    """

    error: str = ""
    busy: bool = False
    seconds: float = 0.0
    messages: tuple[tuple[int, str], ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return the outcome as data that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Make the outcome from what :meth:`as_data` returned."""
        given = dict(data)
        given["messages"] = tuple((level, text) for level, text in data["messages"])
        return cls(**given)

    def report(self) -> None:
        """Log the messages."""
        for level, text in self.messages:
            log.log(level, "%s", text)

    def with_messages(self, messages: Sequence[tuple[int, str]]) -> Self:
        """Return the outcome with these messages."""
        return replace(self, messages=tuple(messages))


def outcome_of(do: Callable[[], Work | None]) -> Outcome:
    """Do a task and return how it ended; only what interrupts the program is raised."""
    try:
        work = do()
    except MouthLiveError as error:
        return Outcome(str(error), busy=isinstance(error, BusyError))
    except MemoryError:
        return Outcome("out of memory; use fewer --jobs")
    except OSError as error:  # of the temporary files; products have errors of their own
        return Outcome(f"cannot write {error.filename} ({error.strerror})")
    return Outcome(seconds=work.seconds if work else 0.0)

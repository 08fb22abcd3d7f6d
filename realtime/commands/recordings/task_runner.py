"""What workers do, processes of this machine's pool and those of a cluster: load the networks, then do tasks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...settings import AnalysisSettings, load_networks
from ...sinks.sink import Sink
from ...video.capture import share_cores
from .outcome import Outcome, outcome_of
from .places import HERE, Places
from .plan import Job
from .products import ProductOptions
from .stretches import Stretch, analyse_stretch
from .work import do_job

log = logging.getLogger("mouth_live")


class _Messages(logging.Handler):
    """Keeps the messages of one task, so that the parent can report them together."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message with its level."""
        self.found.append((record.levelno, record.getMessage()))


class TaskRunner(Protocol):
    """Does tasks, and never raises an error of this program."""

    def __call__(self, task: Job | Stretch, places: Places = HERE, watch: Sequence[Sink] = ()) -> Outcome:
        """Do a task; a job's files are at these places, and ``watch`` sees its frames too."""
        ...


def task_runner(common: Mapping[str, Any]) -> TaskRunner:
    """Load the networks, and return what does tasks.

    Args:
        common: what all tasks have in common, as :func:`common_data` returned it.

    Raises:
        MouthLiveError: a network cannot be loaded.
    """
    settings, options = AnalysisSettings.from_data(common["settings"]), ProductOptions(**common["options"])
    share_cores(common["at_once"])
    networks = load_networks(replace(settings, **common["loaded"]))

    def run(task: Job | Stretch, places: Places = HERE, watch: Sequence[Sink] = ()) -> Outcome:
        """Do a task, and keep its messages."""
        messages = _Messages()
        log.handlers, log.propagate = [messages], False
        log.setLevel(logging.INFO)
        if isinstance(task, Stretch):
            return outcome_of(lambda: analyse_stretch(task, networks))
        outcome = outcome_of(lambda: do_job(task, options, settings, networks, None, places=places, watch=watch))
        outcome = replace(outcome, error=places.as_named(outcome.error))
        return outcome.with_messages([(level, places.as_named(text)) for level, text in messages.found])

    return run

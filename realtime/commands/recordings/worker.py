"""A worker process of ``mouth-live process --jobs``: it loads the networks once and does one task after the other.

It reads lines of JSON from stdin: first what all tasks have in common, then the tasks. For each it writes one line of
JSON to stdout. The end of stdin ends it, in the middle of a task too, so that no worker outlives its parent.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import IO, Any, cast

from ....models.errors import MouthLiveError
from ....models.openness import OpennessModel
from ....models.weights_file import load_weights
from ...session import load_networks
from ...settings import AnalysisSettings
from ...system.threads import new_thread
from ...video.capture import share_cores
from ..cli import end_with_exit_code
from .outcome import Outcome, outcome_of
from .plan import Job
from .products import ProductOptions
from .shared_network import network_client
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


def task_runner(common: Mapping[str, Any]) -> Callable[[Job | Stretch], Outcome]:
    """Load the networks, and return the function that does a task and never raises an error of this program.

    Args:
        common: what all tasks have in common, as :func:`common_data` returned it.

    Raises:
        MouthLiveError: a network cannot be loaded.
    """
    settings, options = AnalysisSettings.from_data(common["settings"]), ProductOptions(**common["options"])
    share_cores(common["at_once"])
    model = _parents_model(settings, *common["network"]) if common["network"] else None
    networks = load_networks(settings, model)

    def run(task: Job | Stretch) -> Outcome:
        """Do a task, and keep its messages."""
        messages = _Messages()
        log.handlers, log.propagate = [messages], False
        if isinstance(task, Stretch):
            return outcome_of(lambda: analyse_stretch(task, networks))
        outcome = outcome_of(lambda: do_job(task, options, settings, networks))
        return outcome.with_messages(messages.found)

    return run


def _main() -> None:
    replies = _private_stdout()
    lines: SimpleQueue[str] = SimpleQueue()
    new_thread("parent", _listen, lines).start()
    run: Callable[[Job | Stretch], Outcome] | MouthLiveError
    try:
        run = task_runner(json.loads(lines.get()))
    except MouthLiveError as error:
        run = error
    while line := lines.get():
        data = json.loads(line)
        task = Stretch.from_data(data) if "record" in data else Job.from_data(data)
        outcome = Outcome(str(run)) if isinstance(run, MouthLiveError) else run(task)
        replies.write(json.dumps(outcome.as_data()).encode() + b"\n")
        replies.flush()


def _listen(lines: "SimpleQueue[str]") -> None:
    """Pass the parent's lines on; at their end stop the job that runs, for the parent is gone or wants no more."""
    for line in sys.stdin:
        lines.put(line)
    lines.put("")
    os.kill(os.getpid(), signal.SIGTERM)


def _private_stdout() -> IO[bytes]:
    """Return stdout, and let what else is printed in this process go to stderr."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _parents_model(settings: AnalysisSettings, requests: int, replies: int) -> OpennessModel:
    """Return the openness network that runs in the parent process, behind two descriptors."""
    name = load_weights(settings.model, "openness").name
    streams = cast("IO[bytes]", os.fdopen(requests, "wb")), cast("IO[bytes]", os.fdopen(replies, "rb"))
    return OpennessModel(name, "gpu", network_client(*streams))


if __name__ == "__main__":
    end_with_exit_code(_main)

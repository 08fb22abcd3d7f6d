"""A worker process of ``mouth-live process --jobs``: it loads the networks once and does one task after the other.

It reads lines of JSON from stdin: first what all tasks have in common, then the tasks. For each it writes one line of
JSON to stdout. The end of stdin ends it, in the middle of a task too, so that no worker outlives its parent.
"""

import json
import os
import signal
import sys
from queue import SimpleQueue
from typing import IO

from ....models.errors import MouthLiveError
from ...system.threads import new_thread
from ..cli import end_with_exit_code
from .outcome import Outcome
from .plan import Job
from .stretches import Stretch
from .task_runner import TaskRunner, task_runner


def _main() -> None:
    replies = _private_stdout()
    lines: SimpleQueue[str] = SimpleQueue()
    new_thread("parent", _listen, lines).start()
    run: TaskRunner | MouthLiveError
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


if __name__ == "__main__":
    end_with_exit_code(_main)

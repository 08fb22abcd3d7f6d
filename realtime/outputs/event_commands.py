"""``--on-start`` and ``--on-stop``: run a program for each start and stop of a face's events."""

import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic, sleep

from ...models.errors import SinkError, UsageError
from ..records import LipEvent
from ..system.programs import start_program
from .output import Output
from .update import Update

log = logging.getLogger("mouth_live")

REAP_INTERVAL = 0.02  # s between checks whether a running command has ended
STDERR_DESCRIPTOR = 2
EXIT_TIMEOUT = 0.8  # s at the end for a start's command, and again for a stop's


@dataclass(slots=True)
class _Queue:
    """The commands of one face, which run one at a time."""

    wanted: LipEvent  # the newest event
    done: str = "stop"  # the type whose command ran last, or runs
    running: subprocess.Popen[bytes] | None = field(default=None)


class EventCommands(Output):
    """Runs a command for each start and stop, without a shell, never two at a time for one face.

    While a face's command runs, its newer events wait. A start that is over before its turn comes is left out together
    with its stop.
    """

    name = "--on-start/--on-stop"

    def __init__(self, on_start: Sequence[str], on_stop: Sequence[str], kind: str) -> None:
        """Take the commands; :meth:`prepare` looks for the programs.

        Args:
            on_start: program and arguments; empty for none.
            on_stop: the same for stops.
            kind: of event that runs them.
        """
        self._commands = {"start": list(on_start), "stop": list(on_stop)}
        self._kind = kind
        self._queues: dict[int | None, _Queue] = {}
        self._failed: set[str] = set()

    def prepare(self) -> None:
        """Look for the programs."""
        for when, command in self._commands.items():
            if command and shutil.which(command[0]) is None:
                raise SinkError(f"--on-{when} {command[0]}: no such program; check its name or give its full path")

    def messages(self, update: Update) -> list[str]:
        """Return the commands, each after the variables in its environment."""
        lines: list[str] = []
        for event in update.events:
            command = self._commands[event.type]
            if event.kind == self._kind and command:
                settings = " ".join(f"{name}={value}" for name, value in variables(event).items())
                lines.append(f"{settings} {shlex.join(command)}")
        return lines

    def send(self, update: Update) -> None:
        """Take the events and run the commands that are due."""
        for event in update.events:
            if event.kind == self._kind:
                queue = self._queues.setdefault(event.face_id, _Queue(event))
                queue.wanted = event
        self._step()

    def close(self) -> None:
        """Wait a little for the commands that run, so that each start that ran has its stop; reap them all."""
        deadline = monotonic() + EXIT_TIMEOUT
        while self._busy() and monotonic() < deadline:
            sleep(REAP_INTERVAL)
            self._step()
        for queue in self._queues.values():
            if queue.running and queue.done == "start":
                queue.running.terminate()
                queue.running.wait(EXIT_TIMEOUT)
        self._step()
        deadline = monotonic() + EXIT_TIMEOUT
        while self._busy() and monotonic() < deadline:
            sleep(REAP_INTERVAL)
            self._step()

    def _busy(self) -> bool:
        return any(queue.running or queue.done != queue.wanted.type for queue in self._queues.values())

    def _step(self) -> None:
        """Reap commands that have ended; start those that are due."""
        for face_id, queue in list(self._queues.items()):
            if queue.running and queue.running.poll() is not None:
                self._ended(queue.done, queue.running.returncode)
                queue.running = None
            if queue.running is None and queue.done != queue.wanted.type:
                queue.done = queue.wanted.type
                queue.running = self._run(queue.wanted)
            if queue.running is None and queue.done == "stop":
                del self._queues[face_id]
        # While a command runs, check often, so that it is reaped and the next one can start.
        self.heartbeat_interval = REAP_INTERVAL if any(queue.running for queue in self._queues.values()) else None

    def _run(self, event: LipEvent) -> "subprocess.Popen[bytes] | None":
        command = self._commands[event.type]
        if not command:
            return None
        try:
            # Its stdout is our stderr: ours is for data.
            return start_program(command, stdout=STDERR_DESCRIPTOR, env=os.environ | variables(event))
        except OSError as error:
            self._warn_once(event.type, f"cannot be run ({error.strerror})")
            return None

    def _ended(self, when: str, code: int) -> None:
        if code:
            self._warn_once(when, f"ended with code {code}")

    def _warn_once(self, when: str, what: str) -> None:
        if when not in self._failed:
            self._failed.add(when)
            log.warning("--on-%s %s: %s; this is reported once", when, self._commands[when][0], what)


def variables(event: LipEvent) -> dict[str, str]:
    """Return the environment variables that describe an event to its command."""
    return {
        "MOUTH_LIVE_TYPE": event.type,
        "MOUTH_LIVE_KIND": event.kind,
        "MOUTH_LIVE_FACE_ID": "" if event.face_id is None else str(event.face_id),
        "MOUTH_LIVE_TIME": f"{event.time:.6f}",
    }


def make_event_commands(on_start: str | None, on_stop: str | None, kind: str) -> EventCommands:
    """Make the output of the options ``--on-start`` and ``--on-stop``.

    Raises:
        UsageError: one cannot be split into words, or is empty.
    """
    return EventCommands(_split("--on-start", on_start), _split("--on-stop", on_stop), kind)


def _split(option: str, text: str | None) -> list[str]:
    if text is None:
        return []
    try:
        words = shlex.split(text, posix=os.name != "nt")
    except ValueError as error:
        raise UsageError(f"{option} {text}: cannot be split into words ({error})") from None
    if not words:
        raise UsageError(f"{option}: the command is empty")
    return words

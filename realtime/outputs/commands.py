"""``--on-start`` and ``--on-stop``: a program for each start and stop of a face's lip activity."""

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
from .moments import Moment
from .output import Output

log = logging.getLogger("mouth_live")

LOOK = 0.02  # s between looks whether a running command has ended
STDERR = 2
PATIENCE = 0.8  # s at the end for a start's command, and again for the stop's


@dataclass(slots=True)
class _Lane:
    """One face's commands: one at a time."""

    wanted: LipEvent  # the newest event
    done: str = "stop"  # the type whose command ran last, or runs
    running: subprocess.Popen[bytes] | None = field(default=None)


class Commands(Output):
    """Runs a command for each start and stop, without a shell, never two at a time for one face.

    While a face's command runs, its newer events wait; a start that is over before its turn comes is left out together
    with its stop.
    """

    name = "--on-start/--on-stop"

    def __init__(self, on_start: Sequence[str], on_stop: Sequence[str], kind: str) -> None:
        """Say what to run.

        Args:
            on_start: program and arguments; empty for none.
            on_stop: the same for stops.
            kind: of the events.
        """
        self._commands = {"start": list(on_start), "stop": list(on_stop)}
        self._kind = kind
        self._lanes: dict[int | None, _Lane] = {}
        self._failed: set[str] = set()

    def prepare(self) -> None:
        """Look for the programs."""
        for when, command in self._commands.items():
            if command and shutil.which(command[0]) is None:
                raise SinkError(f"--on-{when} {command[0]}: no such program; check its name or give its full path")

    def send(self, moment: Moment) -> None:
        """Take the events in and run what is due."""
        for event in moment.events:
            if event.kind == self._kind:
                lane = self._lanes.setdefault(event.face_id, _Lane(event))
                lane.wanted = event
        self._step()

    def close(self) -> None:
        """Wait a little for what runs, so that each start that ran has its stop; none is left unreaped meanwhile."""
        deadline = monotonic() + PATIENCE
        while self._busy() and monotonic() < deadline:
            sleep(LOOK)
            self._step()
        for lane in self._lanes.values():
            if lane.running and lane.done == "start":
                lane.running.terminate()
                lane.running.wait(PATIENCE)
        self._step()
        deadline = monotonic() + PATIENCE
        while self._busy() and monotonic() < deadline:
            sleep(LOOK)
            self._step()

    def render(self, moment: Moment) -> list[str]:
        """The commands, with the variables that they see."""
        lines: list[str] = []
        for event in moment.events:
            command = self._commands[event.type]
            if event.kind == self._kind and command:
                settings = " ".join(f"{name}={value}" for name, value in variables(event).items())
                lines.append(f"{settings} {shlex.join(command)}")
        return lines

    def _busy(self) -> bool:
        return any(lane.running or lane.done != lane.wanted.type for lane in self._lanes.values())

    def _step(self) -> None:
        """Reap what has ended; start what is due."""
        for face_id, lane in list(self._lanes.items()):
            if lane.running and lane.running.poll() is not None:
                self._ended(lane.done, lane.running.returncode)
                lane.running = None
            if lane.running is None and lane.done != lane.wanted.type:
                lane.done = lane.wanted.type
                lane.running = self._run(lane.wanted)
            if lane.running is None and lane.done == "stop":
                del self._lanes[face_id]
        # Look often while a command runs, so that it is reaped and the next one can start.
        self.heartbeat = LOOK if any(lane.running for lane in self._lanes.values()) else None

    def _run(self, event: LipEvent) -> "subprocess.Popen[bytes] | None":
        command = self._commands[event.type]
        if not command:
            return None
        try:
            # Its stdout is our stderr: ours is for data.
            return start_program(command, stdout=STDERR, env=os.environ | variables(event))
        except OSError as error:
            self._tell_once(event.type, f"cannot be run ({error.strerror})")
            return None

    def _ended(self, when: str, code: int) -> None:
        if code:
            self._tell_once(when, f"ended with code {code}")

    def _tell_once(self, when: str, what: str) -> None:
        if when not in self._failed:
            self._failed.add(when)
            log.warning("--on-%s %s: %s; this is said once", when, self._commands[when][0], what)


def variables(event: LipEvent) -> dict[str, str]:
    """What a command finds in its environment."""
    return {
        "MOUTH_LIVE_TYPE": event.type,
        "MOUTH_LIVE_KIND": event.kind,
        "MOUTH_LIVE_FACE_ID": "" if event.face_id is None else str(event.face_id),
        "MOUTH_LIVE_TIME": f"{event.time:.6f}",
    }


def make_commands(on_start: str | None, on_stop: str | None, kind: str) -> Commands:
    """From the two options' texts.

    Raises:
        UsageError: one cannot be split into words, or is empty.
    """
    return Commands(_split("--on-start", on_start), _split("--on-stop", on_stop), kind)


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

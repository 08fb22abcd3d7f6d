"""The one place that starts other programs that run beside this one."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows' word for a session


def start_program(
    command: Sequence[str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a program, without a shell, in a session of its own: Ctrl-C at the terminal reaches it through us alone.

    Args:
        command: the program and what it is told.
        stdin: what it reads, as :class:`subprocess.Popen` takes it.
        stdout: where its output goes.
        stderr: where its talk goes; None to our own.
        env: its environment; None for ours.

    Raises:
        OSError: it cannot be started.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=env,
        start_new_session=True,
        creationflags=_OWN_GROUP,
    )

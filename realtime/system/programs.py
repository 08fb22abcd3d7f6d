"""The only place that starts child programs which run in parallel to this one."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import IO

_OWN_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # what Windows has instead of sessions


def start_program(
    command: Sequence[str],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int | IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a program, without a shell, in a session of its own, so that Ctrl-C at the terminal does not reach it.

    Args:
        command: the program and its arguments.
        stdin: its standard input, as :class:`subprocess.Popen` takes it.
        stdout: its standard output.
        stderr: its standard error; None for that of this process.
        env: its environment; None for that of this process.

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

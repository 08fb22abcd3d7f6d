"""Several recordings at once, each in a process of its own: one alone keeps about two cores busy.

Each is done by the program itself, as if it had been started for that one: the values are the same, and one that brings
its process down takes no other with it. A network on the GPU is one for all of them (``shared_network.py``).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from ...system.programs import start_program
from .jobs import Job
from .shared_network import SharedNetwork

POLL_EVERY = 0.05  # s between two looks at whether one is done
PROGRAM = (sys.executable, "-m", "mouth_live.realtime", "process")


@dataclass(frozen=True, slots=True)
class _Running:
    """A job, the process that does it, and the file that takes what it says."""

    job: Job
    process: subprocess.Popen[bytes]
    talk: IO[bytes]


def process_side_by_side(
    jobs: Sequence[Job], options: Sequence[str], at_once: int, shared: SharedNetwork | None = None
) -> list[Job]:
    """Do the jobs, so many at once. Left by an exception (Ctrl-C), it ends them in order and waits for that.

    Args:
        jobs: each with a file as its output.
        options: of ``mouth-live process`` for all of them.
        at_once: processes.
        shared: the network for all of them; None: each has its own, on the CPU.

    Returns:
        Those that failed; why has been told.
    """
    from tqdm import tqdm

    waiting, running, failed = list(jobs), list[_Running](), list[Job]()
    with tqdm(total=len(jobs), unit=" videos", leave=False, disable=None) as bar:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.append(_start(waiting.pop(0), options, shared))
                time.sleep(POLL_EVERY)
                for one in [one for one in running if one.process.poll() is not None]:
                    running.remove(one)
                    failed += [one.job] if one.process.returncode else []
                    bar.write(_said(one), sys.stderr, end="")
                    bar.update()
        finally:
            for one in running:
                one.process.terminate()
            for one in running:
                one.process.wait()
                one.talk.close()
    return failed


def _start(job: Job, options: Sequence[str], shared: SharedNetwork | None) -> _Running:
    talk = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is done
    network = ["--device", "cpu"] if shared is None else ["--shared-network"]
    command = [*PROGRAM, *options, *network, "-o", str(job.output), "--", str(job.source)]
    pipe = subprocess.DEVNULL if shared is None else subprocess.PIPE
    process = start_program(command, stdin=pipe, stdout=pipe, stderr=talk)
    if shared is not None:
        shared.answer(process)
    return _Running(job, process, talk)


def _said(one: _Running) -> str:
    """What a finished process said; where it was killed, that."""
    with one.talk as talk:
        talk.seek(0)
        said = talk.read().decode(errors="replace")
    if one.process.returncode < 0:
        said += f"mouth-live: error: {one.job.source}: its process was killed (signal {-one.process.returncode})\n"
    return said

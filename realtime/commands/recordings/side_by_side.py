"""Several recordings at once, each in a process of its own: one alone keeps about two cores busy.

Each is done by the program itself, as if it had been started for that one: the values are the same, and one that brings
its process down takes no other with it. A network on the GPU is one for all of them (``shared_network.py``).
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO

from ...settings import AnalysisSettings
from ...system.programs import start_program
from .jobs import Job
from .shared_network import SharedNetwork

POLL_INTERVAL = 0.05  # s between two looks at whether one is done
CHILD = f"{__package__}.child"


@dataclass(frozen=True, slots=True)
class _Running:
    """A job, the process that does it, and the file that takes what it says."""

    job: Job
    process: subprocess.Popen[bytes]
    talk: IO[bytes]


def process_side_by_side(
    jobs: Sequence[Job],
    media_time: bool,
    settings: AnalysisSettings,
    at_once: int,
    shared: SharedNetwork | None = None,
) -> list[Job]:
    """Do the jobs, so many at once. Left by an exception (Ctrl-C), it ends them in order and waits for that.

    Args:
        jobs: each with a file as its output.
        media_time: timestamps count from the container's zero.
        settings: of the analysis.
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
                    running.append(_start(waiting.pop(0), media_time, settings, shared))
                time.sleep(POLL_INTERVAL)
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


def _child_command(job: Job, media_time: bool, settings: AnalysisSettings, shared: bool) -> Sequence[str]:
    """Return the program and its argument, which holds the job and all settings.

    Args:
        job: the recording and its output file.
        media_time: as in :func:`process_side_by_side`.
        settings: of the analysis.
        shared: the process that starts it reads the crops, through stdout and stdin.
    """
    data = {"source": str(job.source), "output": str(job.output), "media_time": media_time, "shared": shared}
    return [sys.executable, "-m", CHILD, json.dumps(data | {"settings": settings.as_data()})]


def _start(job: Job, media_time: bool, settings: AnalysisSettings, shared: SharedNetwork | None) -> _Running:
    talk = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is done
    command = _child_command(job, media_time, replace(settings, device="cpu"), shared is not None)
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

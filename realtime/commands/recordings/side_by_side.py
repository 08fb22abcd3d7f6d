"""Parallel processing of several recordings, each in a process of its own; a single one uses about two cores.

The values are the same as in one process, and a recording that crashes its process does not affect the others. A
network on the GPU is shared by all of them (``shared_network.py``).
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import IO

from ....models.progress_bar import progress_bar
from ...settings import AnalysisSettings
from ...system.programs import start_program
from .jobs import Job, Products
from .shared_network import SharedNetwork

POLL_INTERVAL = 0.05  # s between two checks whether a process has ended
CHILD_MODULE = f"{__package__}.child"


@dataclass(frozen=True, slots=True)
class _Running:
    """A job, the process that does it, and the file with its stderr."""

    job: Job
    process: subprocess.Popen[bytes]
    stderr: IO[bytes]


def process_side_by_side(
    jobs: Sequence[Job],
    products: Products,
    settings: AnalysisSettings,
    at_once: int,
    shared: SharedNetwork | None = None,
) -> list[Job]:
    """Do the jobs in parallel. After an exception (Ctrl-C), terminate the processes and wait for their clean-up.

    Args:
        jobs: the jobs, each with a file as its output.
        products: the options for their outputs.
        settings: the settings of the analysis.
        at_once: the number of processes at once.
        shared: the network for all processes; None: each has its own, on the CPU.

    Returns:
        The jobs that failed; their errors have been reported.
    """
    waiting, running, failed = list(jobs), list[_Running](), list[Job]()
    with progress_bar(jobs, None, "videos", leave=False) as bar:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.append(_start(waiting.pop(0), products, settings, shared))
                time.sleep(POLL_INTERVAL)
                for one in [one for one in running if one.process.poll() is not None]:
                    running.remove(one)
                    failed += [one.job] if one.process.returncode else []
                    bar.write(_messages(one), sys.stderr, end="")
                    bar.update()
        finally:
            for one in running:
                one.process.terminate()
            for one in running:
                one.process.wait()
                one.stderr.close()
    return failed


def _child_command(job: Job, products: Products, settings: AnalysisSettings, shared: bool) -> Sequence[str]:
    """Return the child's command, whose argument contains the job and all settings.

    Args:
        job: the recording and its output file.
        products: the options for the outputs; an annotated video is for a single recording only.
        settings: the settings of the analysis.
        shared: whether the parent process runs the openness network, through the child's stdout and stdin.
    """
    data = {"source": str(job.source), "output": str(job.output), "shared": shared, "settings": settings.as_data()}
    data["products"] = asdict(replace(products, annotate=None, overwrite=True))
    return [sys.executable, "-m", CHILD_MODULE, json.dumps(data)]


def _start(job: Job, products: Products, settings: AnalysisSettings, shared: SharedNetwork | None) -> _Running:
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is done
    command = _child_command(job, products, replace(settings, device="cpu"), shared is not None)
    pipe = subprocess.DEVNULL if shared is None else subprocess.PIPE
    process = start_program(command, stdin=pipe, stdout=pipe, stderr=stderr)
    if shared is not None:
        shared.serve(process)
    return _Running(job, process, stderr)


def _messages(one: _Running) -> str:
    """Return the stderr of a finished process, with an error line where it was killed."""
    with one.stderr as stderr:
        stderr.seek(0)
        text = stderr.read().decode(errors="replace")
    if one.process.returncode < 0:
        text += f"mouth-live: error: {one.job.source}: its process was killed (signal {-one.process.returncode})\n"
    return text

"""Worker processes that stay: each loads the networks once and takes the next recording when it is done with one.

The values are the same as in one process, and a recording that crashes its worker does not affect the others: the
worker is replaced. A network on the GPU is shared by all of them (``shared_network.py``).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from typing import IO, Any

from ...settings import AnalysisSettings
from ...system.programs import start_program
from ...system.threads import new_thread
from ...video.capture import usable_cores
from .outcome import Outcome
from .plan import Job
from .products import ProductOptions
from .shared_network import SharedNetwork

WORKER_MODULE = f"{__package__}.worker"
WORKER_MEMORY = 300 << 20  # bytes of a worker with a 1080p recording, and some room
POLL_INTERVAL = 0.5  # s; a signal is handled at the latest after that


@dataclass(slots=True)
class _Worker:
    """A worker process, and the file with what it printed."""

    process: "subprocess.Popen[bytes]"
    printed: IO[bytes]

    def do(self, job: Job) -> Outcome | None:
        """Have a job done; None where the process died."""
        requests, replies = self.process.stdin, self.process.stdout
        assert requests is not None
        assert replies is not None
        with suppress(OSError, ValueError):
            requests.write(json.dumps(job.as_data()).encode() + b"\n")
            requests.flush()
            if line := replies.readline():
                return Outcome.from_data(json.loads(line))
        return None

    def death(self, job: Job) -> Outcome:
        """Return the outcome of a job whose worker died."""
        code = self.process.wait()
        how = f"was killed (signal {-code})" if code < 0 else f"ended with {code}"
        self.printed.seek(0)
        last = self.printed.read().decode(errors="replace").strip().splitlines()[-1:]
        return Outcome(f"{job.source}: its process {how}{f': {last[0]}' if last else ''}")

    def close(self) -> None:
        """Wait for its end and close its streams."""
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.printed):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


class Pool:
    """Does jobs in parallel, in worker processes."""

    def __init__(
        self, workers: int, options: ProductOptions, settings: AnalysisSettings, shared: SharedNetwork | None = None
    ) -> None:
        """Prepare the pool; processes start with the first jobs.

        Args:
            workers: the number of processes.
            options: how products are written.
            settings: the settings of the analysis.
            shared: the network for all processes; None: each has its own, on the CPU.
        """
        self._count, self._shared = workers, shared
        self._common = common_data(settings, options, workers, settings.model)
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._done: SimpleQueue[tuple[Job, Outcome]] = SimpleQueue()
        self._running: dict[int, _Worker] = {}
        self._ending = False

    def run(self, jobs: Sequence[Job]) -> Generator[tuple[Job, Outcome]]:
        """Do the jobs, and yield each with its outcome when it is done.

        When the generator is closed, and after an exception in its consumer (Ctrl-C), the processes are terminated, and
        their clean-up is waited for.
        """
        for job in jobs:
            self._jobs.put(job)
        count = min(self._count, len(jobs))
        threads = [new_thread(f"worker {number}", self._work, number) for number in range(count)]
        try:
            for thread in threads:
                thread.start()
            for _ in jobs:
                yield self._next_done()
        finally:
            self._ending = True
            for worker in list(self._running.values()):
                worker.process.terminate()
            for thread in threads:
                thread.join()

    def _next_done(self) -> tuple[Job, Outcome]:
        while True:
            with suppress(Empty):
                return self._done.get(timeout=POLL_INTERVAL)

    def _work(self, number: int) -> None:
        """Have jobs done by one worker after the other, in a thread of its own, while there are any."""
        worker: _Worker | None = None
        while not self._ending:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            try:
                worker = worker or self._start(number)
            except OSError as error:
                self._done.put((job, Outcome(f"{job.source}: no process could be started ({error.strerror})")))
                continue
            outcome = worker.do(job)
            self._done.put((job, outcome or worker.death(job)))
            if outcome is None:
                worker.close()
                worker = None
        self._running.pop(number, None)
        if worker is not None:
            if worker.process.stdin is not None:
                worker.process.stdin.close()
            worker.close()

    def _start(self, number: int) -> _Worker:
        printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        network = [] if self._shared is None else _connect(self._shared)
        command = [sys.executable, "-m", WORKER_MODULE]
        process = start_program(command, subprocess.PIPE, subprocess.PIPE, printed, keep=network)
        for descriptor in network:
            os.close(descriptor)
        worker = self._running[number] = _Worker(process, printed)
        if self._ending:  # the pool was closed while it started
            process.terminate()
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.write(json.dumps({**self._common, "network": network}).encode() + b"\n")
        return worker


def common_data(
    settings: AnalysisSettings, options: ProductOptions, at_once: int, model: str, device: str = "cpu"
) -> Mapping[str, Any]:
    """Return what all jobs of a run have in common, as data that JSON can hold.

    Args:
        settings: the settings of the analysis.
        options: how products are written.
        at_once: the number of processes that share the cores.
        model: the openness network's weights, where the processes find them.
        device: where a process runs that network, unless it uses its parent's.
    """
    loaded = {"model": model, "device": device}
    return {
        "settings": settings.as_data(),
        "loaded": loaded,
        "options": asdict(options),
        "at_once": at_once,
        "network": [],
    }


def automatic_workers(jobs: int) -> int:
    """Return the number of worker processes for so many recordings, by the cores and the memory of this machine."""
    return max(1, min(jobs, usable_cores(), _free_memory() // WORKER_MEMORY))


def _free_memory() -> int:
    """Return the memory in bytes that is free; a large number where that is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            values = dict(line.split(":") for line in file)
        return int(values["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return 1 << 50


def _connect(shared: SharedNetwork) -> list[int]:
    """Connect a worker with the shared network; return the worker's two ends, for requests and for replies."""
    (asked, asks), (hears, answered) = os.pipe(), os.pipe()
    shared.serve(os.fdopen(asked, "rb"), os.fdopen(answered, "wb"))
    return [asks, hears]

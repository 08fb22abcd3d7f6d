"""Worker processes that stay: each loads the networks once and takes the next recording when it is done with one.

The values are the same as in one process, and a recording that crashes its worker does not affect the others: the
worker is replaced. Where they work on GPUs, each is given one, perhaps together with others.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, Generic, Protocol, TypeVar

from ...settings import AnalysisSettings
from ...system.programs import start_program
from ...system.threads import new_thread
from ...video.capture import usable_cores
from .outcome import Outcome
from .products import ProductOptions

WORKER_MODULE = f"{__package__}.worker"
WORKER_MEMORY = 300 << 20  # bytes of a worker with a 1080p recording, and some room
POLL_INTERVAL = 0.5  # s; a signal is handled at the latest after that


class Task(Protocol):
    """What a worker does at a time, with a recording: all products of it, or a stretch."""

    @property
    def source(self) -> Path:
        """The recording."""
        ...

    def as_data(self) -> dict[str, Any]:
        """Return the task as data that JSON can hold."""
        ...


T = TypeVar("T", bound=Task)


@dataclass(slots=True)
class _Worker:
    """A worker process, and the file with what it printed."""

    process: "subprocess.Popen[bytes]"
    printed: IO[bytes]

    def do(self, task: Task) -> Outcome | None:
        """Have a task done; None where the process died."""
        requests, replies = self.process.stdin, self.process.stdout
        assert requests is not None
        assert replies is not None
        with suppress(OSError, ValueError):
            requests.write(json.dumps(task.as_data()).encode() + b"\n")
            requests.flush()
            if line := replies.readline():
                return Outcome.from_data(json.loads(line))
        return None

    def death(self, task: Task) -> Outcome:
        """Return the outcome of a task whose worker died."""
        code = self.process.wait()
        how = f"was killed (signal {-code})" if code < 0 else f"ended with {code}"
        self.printed.seek(0)
        last = self.printed.read().decode(errors="replace").strip().splitlines()[-1:]
        return Outcome(f"{task.source}: its process {how}{f': {last[0]}' if last else ''}")

    def close(self) -> None:
        """Wait for its end and close its streams."""
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.printed):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


class Pool(Generic[T]):
    """Does tasks in parallel, in worker processes."""

    def __init__(
        self, workers: int, options: ProductOptions, settings: AnalysisSettings, gpus: Sequence[str] = ()
    ) -> None:
        """Prepare the pool; processes start with the first tasks.

        Args:
            workers: the number of processes.
            options: how products are written.
            settings: the settings of the analysis.
            gpus: the GPUs to work on, as ``CUDA_VISIBLE_DEVICES`` names them; none: on the CPU.
        """
        self._count, self._gpus = workers, gpus
        if gpus and settings.gpu_memory:
            settings = replace(settings, gpu_memory=settings.gpu_memory // ceil(workers / len(gpus)))
        device = settings.device if gpus else "cpu"
        self._common = common_data(settings, options, workers, settings.model, device)
        self._tasks: SimpleQueue[T] = SimpleQueue()
        self._done: SimpleQueue[tuple[T, Outcome]] = SimpleQueue()
        self._open = 0  # tasks whose outcome has not been returned
        self._threads: list[Thread] = []
        self._running: dict[int, _Worker] = {}
        self._ending = False

    def run(self, tasks: Sequence[T]) -> Generator[tuple[T, Outcome]]:
        """Do the tasks, and yield each with its outcome when it is done.

        When the generator is closed, and after an exception in its consumer (Ctrl-C), so is the pool.
        """
        with closing(self):
            self.start(tasks)
            while done := self.next_done():
                yield done

    def start(self, tasks: Sequence[T]) -> None:
        """Let the workers begin with the tasks, in their order."""
        for task in tasks:
            self._tasks.put(task)
        self._open = len(tasks)
        self._threads = [new_thread(f"worker {n}", self._work, n) for n in range(min(self._count, len(tasks)))]
        for thread in self._threads:
            thread.start()

    def next_done(self) -> tuple[T, Outcome] | None:
        """Wait for the next task that is done; None where all are, or the pool was closed by another thread."""
        while self._open and not self._ending:
            with suppress(Empty):
                done = self._done.get(timeout=POLL_INTERVAL)
                self._open -= 1
                return done
        return None

    def close(self) -> None:
        """Terminate the processes, and wait for their clean-up."""
        self._ending = True
        for worker in list(self._running.values()):
            worker.process.terminate()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        """Have tasks done by one worker after the other, in a thread of its own, while there are any."""
        worker: _Worker | None = None
        while not self._ending:
            try:
                task = self._tasks.get_nowait()
            except Empty:
                break
            try:
                worker = worker or self._start(number)
            except OSError as error:
                self._done.put((task, Outcome(f"{task.source}: no process could be started ({error.strerror})")))
                continue
            outcome = worker.do(task)
            self._done.put((task, outcome or worker.death(task)))
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
        own = {"CUDA_VISIBLE_DEVICES": self._gpus[number % len(self._gpus)]} if self._gpus else {}
        command = [sys.executable, "-m", WORKER_MODULE]
        process = start_program(command, subprocess.PIPE, subprocess.PIPE, printed, {**os.environ, **own})
        worker = self._running[number] = _Worker(process, printed)
        if self._ending:  # the pool was closed while it started
            process.terminate()
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.write(json.dumps(self._common).encode() + b"\n")
        return worker


def common_data(
    settings: AnalysisSettings, options: ProductOptions, at_once: int, model: str, device: str = "cpu"
) -> Mapping[str, Any]:
    """Return what all tasks of a run have in common, as data that JSON can hold.

    Args:
        settings: the settings of the analysis.
        options: how products are written.
        at_once: the number of processes that share the cores.
        model: the openness network's weights, where the processes find them.
        device: where a process works.
    """
    loaded = {"model": model, "device": device}
    return {
        "settings": settings.as_data(),
        "loaded": loaded,
        "options": asdict(options),
        "at_once": at_once,
    }


def automatic_workers() -> int:
    """Return the number of worker processes for which this machine has cores and memory."""
    return max(1, min(usable_cores(), _free_memory() // WORKER_MEMORY))


def _free_memory() -> int:
    """Return the memory in bytes that is free; a large number where that is not known."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123
            values = dict(line.split(":") for line in file)
        return int(values["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return 1 << 50

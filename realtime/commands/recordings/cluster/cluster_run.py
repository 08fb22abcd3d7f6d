"""Do jobs on the workers of a Dask cluster. Dask schedules them, and does them again where a worker is lost.

A task is a recording, or a stretch of a long one where there are more workers than recordings.
"""

import json
import logging
import time
import uuid
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import CancelledError  # Dask's errors are of this class
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from .....models.errors import ClusterError, SourceError, UsageError
from ....faces.stretches import SHORTEST
from ....settings import AnalysisSettings, load_networks
from ....video.capture import stated_duration
from ..manifest import has_manifest
from ..outcome import Outcome, outcome_of
from ..plan import Job
from ..pool import automatic_workers, common_data
from ..products import ProductOptions
from ..standing import job_status
from ..work import do_job
from .checks import check_workers, warn_of_threads
from .dask_client import connected, lost, refuse_loss
from .options import ClusterOptions
from .shared_stretches import SharedStretches
from .transports import InPlace, Sent, Transport
from .worker_side import requirements

log = logging.getLogger("mouth_live")

POLL_INTERVAL = 0.5  # s; a signal is handled at the latest after that
LOOK_INTERVAL = 2.0  # s between two looks at the workers
AT_LEAST = 64  # tasks that Dask knows of at once, so that a cluster that adapts to its load sees some
LAST = 4  # the number of the attempt at a recording, alone, when its workers were lost before


@dataclass(slots=True)
class _Attempt:
    """A job that Dask knows of."""

    job: Job
    number: int
    future: Any = None


class ClusterRun:
    """Does jobs on the workers of a cluster; calling it does them."""

    def __init__(self, cluster: ClusterOptions, options: ProductOptions, settings: AnalysisSettings) -> None:
        """Prepare the run; nothing is connected yet."""
        self._cluster, self._options, self._settings = cluster, options, settings
        self._client: Any = None
        self._workers: Mapping[str, Any] = {}  # what Dask knows of each, by its address
        self._looked = 0.0  # when that was asked, on the monotonic clock
        self._waiting: deque[tuple[Job, int]] = deque()  # with the number of the attempt, from 1
        self._running: dict[str, _Attempt] = {}  # by the name of the task
        self._done: SimpleQueue[Any] = SimpleQueue()

    def __call__(self, jobs: Sequence[Job]) -> Generator[tuple[Job, Outcome]]:
        """Do the jobs, and yield each with its outcome when it is done.

        Raises:
            UsageError: a product is no file.
            ClusterError: the cluster cannot be reached, its workers do not fit this machine, or it was lost.
        """
        if not all(has_manifest(target) for job in jobs for target in job.targets):
            raise UsageError("--cluster makes files; give one with -o OUT")
        if not jobs:
            return
        with connected(self._cluster, self._cluster.workers or min(len(jobs), automatic_workers())) as self._client:
            self._wait_for_workers()
            common = self._common(jobs)
            check_workers(self._client, self._cluster, common, jobs)
            warn_of_threads(self._workers)
            text = json.dumps(common)
            model = self._settings.model
            transport = Sent(text) if self._cluster.send else InPlace(self._cluster, text, model)
            shared = self._long_ones(jobs)
            self._waiting.extend((job, 1) for job in jobs if job not in shared)
            try:
                yield from self._share(shared, text)
                yield from self._outcomes(transport)
            finally:
                self._cancel()

    def _long_ones(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return the jobs whose recording all workers share: long ones, where there are more workers than jobs."""
        if self._cluster.send or self._settings.device == "gpu" or len(jobs) >= len(self._workers):
            return []
        return [job for job in jobs if stated_duration(job.source) >= SHORTEST]

    def _share(self, jobs: Sequence[Job], common: str) -> Generator[tuple[Job, Outcome]]:
        """Do jobs in turn: the workers analyse the stretches of a recording, and this process joins them."""
        if not jobs:
            return
        settings = replace(self._settings, device="cpu")
        networks = load_networks(settings)
        split = SharedStretches(self._client, self._cluster, common, self._options.track).records
        for job in jobs:
            outcome = outcome_of(partial(do_job, job, self._options, settings, networks, None, split=split))
            refuse_loss(self._client, self._cluster.address)
            yield job, outcome

    def _outcomes(self, transport: Transport) -> Generator[tuple[Job, Outcome]]:
        busy: list[tuple[Job, Outcome]] = []
        suspects: list[Job] = []
        while self._waiting or self._running or suspects:
            if suspects and not self._waiting and not self._running:
                self._waiting.append((suspects.pop(0), LAST))  # alone
            yield from self._submit(transport)
            with suppress(Empty):
                future = self._done.get(timeout=POLL_INTERVAL)
                attempt = self._running.pop(future.key)
                outcome = self._outcome(transport, attempt)
                if outcome is None and attempt.number + 1 < LAST:
                    self._waiting.append((attempt.job, attempt.number + 1))
                elif outcome is None:
                    suspects.append(attempt.job)
                elif outcome.busy and attempt.number == 1:
                    busy.append((attempt.job, outcome))
                else:
                    yield attempt.job, outcome
            if busy and not self._waiting and not self._running:
                yield from self._still_open(busy)
            self._look()

    def _submit(self, transport: Transport) -> Generator[tuple[Job, Outcome]]:
        """Give Dask as many jobs as it may know of; yield those that failed already."""
        most = 2 * len(self._workers) if self._cluster.send else max(AT_LEAST, 4 * len(self._workers))
        limits = [worker["memory_limit"] for worker in self._workers.values() if worker["memory_limit"]]
        while self._waiting and len(self._running) < most:
            job, number = self._waiting.popleft()
            key = f"mouth-live-{uuid.uuid4().hex}"
            try:
                future = transport.submit(self._client, key, job, min(limits, default=0))
            except SourceError as error:
                yield job, Outcome(str(error))
                continue
            except (OSError, TimeoutError):  # no worker took it
                self._waiting.appendleft((job, number))
                return
            self._running[key] = _Attempt(job, number, future)
            future.add_done_callback(self._done.put)

    def _outcome(self, transport: Transport, attempt: _Attempt) -> Outcome | None:
        """Return the outcome of a job that Dask is done with; None where it is to be done again.

        Dask blames all jobs that a lost worker had, not only the one that it was doing. So a job that was blamed too
        often is done again alone, after all others.

        Raises:
            ClusterError: the scheduler is gone, or a worker does not fit this machine.
        """
        job, future = attempt.job, attempt.future
        error = None if future.cancelled() else future.exception()
        result: Any = None
        if error is None:
            with suppress(CancelledError):  # what a lost worker returned may be lost too
                result = future.result()
        refuse_loss(self._client, self._cluster.address)
        if error is not None and type(error).__name__ != "KilledWorker":
            reason = " ".join(str(error).split()) or type(error).__name__
            return Outcome(f"{job.source}: the cluster could not do it ({reason})")
        if not result and attempt.number == LAST:
            lost = "its workers were lost again and again, the last time while they had nothing else to do"
            return Outcome(f"{job.source}: {lost}; does it crash them?")
        if not result:
            attempt.number = LAST - 1 if error else attempt.number  # Dask has tried it often enough among others
            return None
        if reason := result.get("misfit"):
            raise ClusterError(reason)
        return transport.take(job, result)

    def _still_open(self, busy: list[tuple[Job, Outcome]]) -> Generator[tuple[Job, Outcome]]:
        """Try once more what another run, or a worker that Dask gave up, was making; yield what it has completed."""
        for job, outcome in busy:
            if job_status(job, self._settings, self._options, overwrite=False).job.targets:
                self._waiting.append((job, 2))
            else:
                yield job, outcome
        busy.clear()

    def _common(self, jobs: Sequence[Job]) -> Mapping[str, Any]:
        """Return what all jobs have in common, and what a worker must have for them."""
        settings = self._settings
        machines = Counter(address.rpartition(":")[0] for address in self._workers)
        device = "gpu" if settings.device == "gpu" else "cpu"  # auto would differ between workers
        common = common_data(
            settings, self._options, max(machines.values()), self._cluster.there_model(settings.model), device
        )
        formats = {target.format for job in jobs for target in job.targets}
        return {**common, "requirements": requirements(settings, formats, merge_ids=self._options.merge_ids)}

    def _wait_for_workers(self) -> None:
        """Wait for the first worker, which may be a job in the queue of a batch system."""
        self._look(at_once=True)
        if not self._workers:
            log.info("%s: has no workers yet; waiting for the first", self._cluster.address)
        while not self._workers:
            time.sleep(POLL_INTERVAL)
            self._look(at_once=True)

    def _look(self, at_once: bool = False) -> None:
        """Look from time to time at which workers there are, and say when the last is gone.

        Raises:
            ClusterError: the scheduler is gone.
        """
        refuse_loss(self._client, self._cluster.address)
        if not at_once and time.monotonic() - self._looked < LOOK_INTERVAL:
            return
        before = self._workers
        try:
            self._workers = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, TimeoutError, RuntimeError):
            raise lost(self._cluster.address) from None
        if before and not self._workers:
            log.warning("%s: its last worker is gone; waiting for another", self._cluster.address)
        self._looked = time.monotonic()

    def _cancel(self) -> None:
        """Cancel what is not done; a worker stops its recording at the next frame."""
        futures = [attempt.future for attempt in self._running.values()]
        self._running.clear()
        if futures and self._client.status == "running":
            with suppress(OSError, TimeoutError, RuntimeError):
                self._client.cancel(futures, force=True)

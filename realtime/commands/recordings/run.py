"""A run over recordings: skip what is complete, do the rest, and say in the end what was done."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from ....models.control_characters import escape_control_characters
from ....models.errors import IncompleteVideoError, MouthLiveError, SomeFailedError
from ...faces.stretches import SHORTEST
from ...settings import AnalysisSettings, load_networks
from ...system.signals import Terminated
from ...video.capture import stated_duration
from .cluster.options import ClusterOptions
from .device_choice import WORKERS_A_GPU, choose_device, required_gpus
from .failures import NAME as FAILURES
from .failures import read_failures, record_failures
from .manifest import Manifest
from .outcome import Outcome, outcome_of
from .plan import Job, make_folders
from .pool import Pool, automatic_workers
from .products import ProductOptions
from .shards import Shard
from .standing import JobStatus, job_status
from .stretches import Splitter
from .tally import Tally
from .work import Split, do_job

log = logging.getLogger("mouth_live")

SPLIT_FROM = 3  # processes: one alone is as fast as two with a third to join them, for its threads use two cores
NAMED = 3  # failed inputs in the last line; failed.csv has all of them
Runner = Callable[[Sequence[Job]], Generator[tuple[Job, Outcome]]]
"""Does jobs, and yields each with its outcome when it is done."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run goes about its jobs.

    Attributes:
        overwrite: make products again that exist already.
        workers: the number of recordings at once, each in a process of its own; None: by cores and memory.
        dry_run: say what would be done, and do nothing.
        shard: the part of the recordings to take; None: all.
        retry_failed: take only those that the output folder's ``failed.csv`` lists.
        cluster: the cluster whose workers do the jobs; None: this machine.
    """

    overwrite: bool = False
    workers: int | None = None
    dry_run: bool = False
    shard: Shard | None = None
    retry_failed: bool = False
    cluster: ClusterOptions | None = None


def process_recordings(
    jobs: Sequence[Job],
    options: ProductOptions,
    settings: AnalysisSettings,
    run: RunOptions | None = None,
    folder: Path | None = None,
    runner: Runner | None = None,
) -> None:
    """Do the jobs; if one fails, continue with the others.

    Args:
        jobs: the recordings, each with its products.
        options: how the products are written.
        settings: the settings of the analysis.
        run: how to go about it.
        folder: the output folder where the inputs can name several recordings, for ``failed.csv``; None for a single
            recording, whose error is raised.
        runner: what does the jobs; None: a cluster, this process, or worker processes on this machine.

    Raises:
        MouthLiveError: the only job or all jobs failed; SomeFailedError: some of several failed.
    """
    run = run or RunOptions()
    if folder is not None:
        jobs = _chosen(jobs, run, folder)
    statuses = _reported(job_status(job, settings, options, run.overwrite) for job in jobs)
    if run.dry_run:
        _print_plan(statuses)
        return
    if run.cluster is not None and runner is None:
        runner = _cluster_runner(run.cluster, options, settings)
    if folder is None:
        _do_single(next(statuses), options, settings, runner, run.workers)
    else:
        _do_several(jobs, statuses, folder, runner or _local_runner(options, settings, run.workers))


def _do_several(jobs: Sequence[Job], statuses: Iterator[JobStatus], folder: Path, runner: Runner) -> None:
    """Do what is open of several jobs, and keep the list of failures in their output folder."""
    tally = Tally()
    waiting = {status.job.source: status.job for status in statuses if not _is_skipped(status, tally)}
    make_folders(folder, list(waiting.values()))
    try:
        with closing(runner(list(waiting.values()))) as outcomes:
            for job, outcome in outcomes:
                tally.take(job, outcome)
                del waiting[job.source]
    except (KeyboardInterrupt, Terminated):
        log.info("%s; the same command goes on from here", tally.summary())
        raise
    finally:
        record_failures(folder, {job.source for job in jobs} - waiting.keys(), tally.failed)
    log.info("%s", tally.summary())
    _raise_failures(len(jobs), tally.failed, folder)


def _chosen(jobs: Sequence[Job], run: RunOptions, folder: Path) -> Sequence[Job]:
    """Return the jobs that this run takes: all, those that failed before, or a shard."""
    if run.retry_failed:
        names = read_failures(folder)
        jobs = [job for job in jobs if str(job.source) in names]
    if run.shard is None:
        return jobs
    part = run.shard.of(jobs)
    log.info(
        "shard %d of %d (%s): %d of %d recordings",
        run.shard.number,
        run.shard.count,
        run.shard.origin,
        len(part),
        len(jobs),
    )
    return part


def _reported(statuses: Iterable[JobStatus]) -> Iterator[JobStatus]:
    """Yield each status after its notes."""
    for status in statuses:
        for note in status.notes:
            log.info("%s", note)
        yield status


def _print_plan(statuses: Iterator[JobStatus]) -> None:
    for status in statuses:
        if status.job.targets:
            paths = ", ".join(str(target.path) for target in status.job.targets)
            click.echo(escape_control_characters(f"{status.job.source} -> {paths}"))


def _do_single(
    status: JobStatus, options: ProductOptions, settings: AnalysisSettings, runner: Runner | None, workers: int | None
) -> None:
    if status.job.targets:
        if runner is None:
            settings = _on_device(settings, [status.job], workers)
            split = _split(options, settings, workers or automatic_workers())
            do_job(status.job, options, settings, load_networks(settings), split=split)
            return
        for _, outcome in runner([status.job]):
            outcome.report()
            if outcome.error:
                raise MouthLiveError(outcome.error)
        return
    if not status.notes:
        log.info("%s: is complete already, skipped (--overwrite makes it again)", status.job.source)
    _tell_again(status.done)


def _is_skipped(status: JobStatus, tally: Tally) -> bool:
    """Return whether nothing is to be done for a recording; count it, and say again what is incomplete."""
    if status.job.targets:
        return False
    try:
        _tell_again(status.done)
        tally.skipped += 1
    except IncompleteVideoError as error:
        tally.take(status.job, Outcome(str(error)))
    return True


def _tell_again(manifests: Iterable[Manifest]) -> None:
    """Say again, once, why the recording of complete products is not whole, as the run that made them did.

    Raises:
        IncompleteVideoError: the recording is cut off.
    """
    for reason, exit_code in dict.fromkeys((manifest.reason, manifest.exit_code) for manifest in manifests):
        if exit_code:
            raise IncompleteVideoError(reason)
        if reason:
            log.warning("%s", reason)


def _local_runner(options: ProductOptions, settings: AnalysisSettings, workers: int | None) -> Runner:
    """Return what does jobs on this machine: in this process, or in so many worker processes."""

    def run(jobs: Sequence[Job]) -> Generator[tuple[Job, Outcome]]:
        """Do the jobs here, or in the pool."""
        on_device = _on_device(settings, jobs, workers)
        if on_device.device != "cpu":
            yield from _on_gpus(jobs, options, on_device, workers)
            return
        available = workers or automatic_workers()
        split = _split(options, on_device, available)
        # Where there are more processes than recordings, a long one gets all of them.
        alone = [job for job in jobs if split and len(jobs) < available and stated_duration(job.source) >= SHORTEST]
        yield from _in_this_process(alone, options, on_device, split)
        jobs = [job for job in jobs if job not in alone]
        yield from _in_processes(jobs, options, on_device, min(len(jobs), available))

    return run


def _on_device(settings: AnalysisSettings, jobs: Sequence[Job], workers: int | None) -> AnalysisSettings:
    """Return the settings with the device chosen, and say why it was."""
    if settings.device != "auto":
        return settings
    choice = choose_device([job.source for job in jobs], workers)
    if choice.reason:
        log.info("%s", choice.reason)
    return replace(settings, device=choice.device)


def _on_gpus(
    jobs: Sequence[Job], options: ProductOptions, settings: AnalysisSettings, workers: int | None
) -> Generator[tuple[Job, Outcome]]:
    """Do jobs on all GPUs, in several processes on each."""
    names = required_gpus()
    count = min(len(jobs), workers or WORKERS_A_GPU * len(names))
    yield from _in_processes(jobs, options, settings, count, names)


def _in_processes(
    jobs: Sequence[Job], options: ProductOptions, settings: AnalysisSettings, count: int, gpu_names: Sequence[str] = ()
) -> Generator[tuple[Job, Outcome]]:
    if count <= 1:
        yield from _in_this_process(jobs, options, settings)
    else:
        yield from _with_bar(len(jobs), Pool[Job](count, options, settings, gpu_names).run(jobs))


def _cluster_runner(cluster: ClusterOptions, options: ProductOptions, settings: AnalysisSettings) -> Runner:
    """Return what does jobs on the workers of a cluster."""
    from .cluster.cluster_run import ClusterRun

    return lambda jobs: _with_bar(len(jobs), ClusterRun(cluster, options, settings)(jobs))


def _split(options: ProductOptions, settings: AnalysisSettings, available: int) -> Split | None:
    """Return what has the stretches of a long recording analysed by so many processes; None where one does all."""
    return Splitter(available, options, settings).records if available >= SPLIT_FROM else None


def _in_this_process(
    jobs: Sequence[Job], options: ProductOptions, settings: AnalysisSettings, split: Split | None = None
) -> Generator[tuple[Job, Outcome]]:
    if not jobs:
        return
    networks = load_networks(settings)
    for number, job in enumerate(jobs, 1):
        prefix = f"[{number}/{len(jobs)}] "
        yield job, outcome_of(partial(do_job, job, options, settings, networks, prefix, split))


def _with_bar(total: int, outcomes: Generator[tuple[Job, Outcome]]) -> Generator[tuple[Job, Outcome]]:
    """Yield the outcomes, and show on a terminal how many there are."""
    from ....models.progress_bar import progress_bar

    with progress_bar(iter(()), None, "videos", total, leave=False) as bar, closing(outcomes):
        for job, outcome in outcomes:
            bar.clear()
            yield job, outcome
            bar.update()


def _raise_failures(count: int, failed: Mapping[Path, str], folder: Path) -> None:
    """Raise an error where recordings failed, of so many."""
    if not failed:
        return
    names = ", ".join(str(source) for source in list(failed)[:NAMED])
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    kind = MouthLiveError if len(failed) == count else SomeFailedError
    raise kind(f"{len(failed)} of {count} inputs failed: {names}{more}; {folder / FAILURES} says why")

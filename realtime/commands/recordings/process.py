"""The work of ``mouth-live process``: write a table and, on request, an annotated video for each recording."""

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ....models.errors import IncompleteVideoError, MouthLiveError, SinkError, SomeFailedError
from ....models.openness import load_openness_model
from ...session import Networks, load_networks, open_session
from ...settings import AnalysisSettings
from ...sinks.annotated_video import AnnotatedVideo
from ...sinks.progress import Progress
from ...sinks.sink import Sink
from ...sinks.table_formats import table_sink
from ...video.sources import open_video
from .jobs import Job, Products
from .shared_network import SharedNetwork
from .side_by_side import process_side_by_side

log = logging.getLogger("mouth_live")


def process_recordings(jobs: Sequence[Job], products: Products, settings: AnalysisSettings, at_once: int = 1) -> None:
    """Do the jobs; if one fails, continue with the others.

    Args:
        jobs: the recordings, each with its output.
        products: the options for their outputs.
        settings: the settings of the analysis.
        at_once: the number of recordings at once, each in a process of its own.

    Raises:
        MouthLiveError: the only job or all jobs failed; SomeFailedError: some of several failed.
    """
    open_jobs = [job for job in jobs if not _is_done(job, products)]
    if at_once > 1 and len(open_jobs) > 1:
        failed = _side_by_side(open_jobs, products, settings, at_once)
    else:
        failed = _one_by_one(open_jobs, products, settings, alone=len(jobs) == 1)
    if failed:
        names = ", ".join(str(job.source) for job in failed)
        kind = MouthLiveError if len(failed) == len(jobs) else SomeFailedError
        raise kind(f"{len(failed)} of {len(jobs)} inputs failed: {names}")


def _side_by_side(jobs: Sequence[Job], products: Products, settings: AnalysisSettings, at_once: int) -> list[Job]:
    """Do the jobs in parallel, each in a process of its own, and return those that failed."""
    model = load_openness_model(settings.model, settings.device)
    if model.device == "cpu":
        return process_side_by_side(jobs, products, settings, at_once)
    with closing(SharedNetwork(model)) as shared:
        return process_side_by_side(jobs, products, settings, at_once, shared)


def _one_by_one(jobs: Sequence[Job], products: Products, settings: AnalysisSettings, alone: bool) -> list[Job]:
    """Do the jobs and return those that failed; with ``alone``, raise the error of the only job."""
    networks = load_networks(settings)
    failed: list[Job] = []
    for number, job in enumerate(jobs, 1):
        try:
            process_one(job, products, settings, networks, "" if alone else f"[{number}/{len(jobs)}] ")
        except MouthLiveError as error:
            if alone:
                raise
            log.error("%s", error)
            failed.append(job)
    return failed


def _is_done(job: Job, products: Products) -> bool:
    """Return whether a job's outputs exist already, and report it."""
    if products.overwrite or isinstance(job.output, str):
        return False
    annotated = products.annotate is None or products.annotate.is_file()
    if job.output.is_file() and annotated:
        log.info("%s: exists already, skipped (--overwrite replaces it)", job.output)
        return True
    if products.annotate is not None and annotated:
        raise SinkError(f"{products.annotate}: exists already; give another name, or --overwrite to replace it")
    return False


def process_one(job: Job, products: Products, settings: AnalysisSettings, networks: Networks, prefix: str = "") -> None:
    """Write the outputs of one recording, and report them in one line.

    Args:
        job: the recording and its output.
        products: the options for its outputs.
        settings: the settings of the analysis.
        networks: the networks of these settings.
        prefix: the beginning of the progress bar's title.

    Raises:
        MouthLiveError: it failed; IncompleteVideoError: it is cut off, and its outputs are complete up to that point.
    """
    cut_off: IncompleteVideoError | None = None
    with open_session(open_video(job.source, products.track), settings, networks=networks) as session:
        video = session.source
        start_time = video.start_time if products.media_time else 0.0
        about = {"source": job.source.name, "start_time": start_time, "settings": settings.as_data()}
        sinks: list[Sink] = [table_sink(job.output, products.table, start_time, about)]
        if products.annotate:
            source = job.source
            sinks.append(AnnotatedVideo(products.annotate, source, video.size, video.nominal_rate, video.start_time))
        progress = Progress(prefix + job.source.name, session.frame_count)
        try:
            session.run([*sinks, progress])
        except IncompleteVideoError as error:
            cut_off = error
    counts = f"{job.source}: {progress.frames} frames, {progress.faces} face{'' if progress.faces == 1 else 's'}"
    if isinstance(job.output, Path):
        log.info("%s -> %s", counts, ", ".join(str(path) for path in (job.output, products.annotate) if path))
    if cut_off:
        raise cut_off

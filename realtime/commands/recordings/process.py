"""What ``mouth-live process`` does: recordings to CSV, and on request to an annotated video."""

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import IncompleteVideoError, MouthLiveError, SomeFailedError
from ....models.openness import load_openness_model
from ...session import Networks, load_networks, open_session
from ...settings import AnalysisSettings
from ...sinks.annotated_video import AnnotatedVideo
from ...sinks.csv_sink import CsvSink
from ...sinks.progress import Progress
from ...sinks.sink import Sink
from .jobs import Job
from .shared_network import SharedNetwork
from .side_by_side import process_side_by_side

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Products:
    """What is made of each recording besides its table, and how.

    Attributes:
        annotate: where the annotated video goes, if anywhere.
        overwrite: make outputs again that are there already.
        media_time: timestamps count from the container's zero, as its sound does, not from the first frame.
    """

    annotate: Path | None = None
    overwrite: bool = False
    media_time: bool = False


def process(jobs: Sequence[Job], products: Products, settings: AnalysisSettings, at_once: int = 1) -> None:
    """Do the jobs; one that fails does not keep the others from being done.

    Args:
        jobs: the recordings, each with its output.
        products: what to make of each.
        settings: of the analysis.
        at_once: videos at once, each in a process of its own.

    Raises:
        MouthLiveError: the only job failed, all failed, or (SomeFailedError) some of several.
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
    """Do the jobs in processes of their own; return those that failed."""
    model = load_openness_model(settings.model, settings.device)
    if model.device == "cpu":
        return process_side_by_side(jobs, products.media_time, settings, at_once)
    with closing(SharedNetwork(model)) as shared:
        return process_side_by_side(jobs, products.media_time, settings, at_once, shared)


def _one_by_one(jobs: Sequence[Job], products: Products, settings: AnalysisSettings, alone: bool) -> list[Job]:
    """Do the jobs; return those that failed. Where the job is alone, its error is raised."""
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
    """Return whether a job's outputs are there already, and report it."""
    if products.overwrite or isinstance(job.output, str):
        return False
    done = job.output.exists() and (products.annotate is None or products.annotate.exists())
    if done:
        log.info("%s: is there already, skipped (--overwrite does it again)", job.output)
    return done


def process_one(job: Job, products: Products, settings: AnalysisSettings, networks: Networks, prefix: str = "") -> None:
    """Make the products of one recording, and report it in one line.

    Args:
        job: the recording and its output.
        products: what to make.
        settings: of the analysis.
        networks: those of the settings.
        prefix: of the progress bar's title.

    Raises:
        MouthLiveError: it failed; IncompleteVideoError: it was cut off, and its products go as far as it does.
    """
    cut_off: IncompleteVideoError | None = None
    with open_session(job.source, settings, networks=networks) as session:
        video = session.source
        sinks: list[Sink] = [CsvSink(job.output, video.start if products.media_time else 0.0)]
        if products.annotate:
            sinks.append(AnnotatedVideo(products.annotate, job.source, video.size, video.nominal_rate, video.start))
        progress = Progress(prefix + job.source.name, session.frame_count)
        try:
            session.run([*sinks, progress])
        except IncompleteVideoError as error:
            cut_off = error
    done = f"{job.source}: {progress.frames} frames, {progress.faces} face{'' if progress.faces == 1 else 's'}"
    if isinstance(job.output, Path):
        log.info("%s -> %s", done, ", ".join(str(path) for path in (job.output, products.annotate) if path))
    if cut_off:
        raise cut_off

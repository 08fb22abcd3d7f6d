"""``mouth-live process``: recorded video to CSV, and on request to an annotated video."""

import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from ....models.errors import IncompleteVideoError, MouthLiveError, SomeFailedError
from ....models.faces import MIN_FACE, Backend, FaceFinder
from ....models.openness import DEFAULT_WEIGHTS, Device, OpennessModel, load_openness_model
from ....models.weights_file import load_weights
from ...faces.following import LOOK_EVERY
from ...lips.profiles import profile_for
from ...pipeline import Pipeline
from ...sinks.annotated_video import AnnotatedVideo
from ...sinks.csv_sink import CsvSink
from ...video.reader import Relay
from ...video.sources import Pictures, VideoSource, open_video
from .jobs import Job
from .shared_network import SharedNetwork, asking
from .side_by_side import process_side_by_side

if TYPE_CHECKING:
    from ...records import Analysis

log = logging.getLogger("mouth_live")

GPU_BATCH = 64  # crops; a GPU is idle with less


@dataclass(frozen=True, slots=True)
class Settings:
    """How recordings are processed.

    Attributes:
        annotate: where the annotated video goes, if anywhere.
        overwrite: do complete outputs again.
        media_time: timestamps count from the container's zero, as its sound does, not from the first frame.
        model: weights by name or path.
        device: where the network runs.
        backend: what finds the faces.
        min_score: faces scored lower (0..1) are left out.
        min_face: faces narrower than so many pixels need not be found.
        profile: the name of the person's own range; None leaves the network's scale.
        at_once: videos at once, each in a process of its own.
        shared_network: the process that started this one reads the crops.
    """

    annotate: Path | None = None
    overwrite: bool = False
    media_time: bool = False
    model: str = DEFAULT_WEIGHTS
    device: Device = "auto"
    backend: Backend = "litert"
    min_score: float = 0.5
    min_face: int = MIN_FACE
    profile: str | None = None
    at_once: int = 1
    shared_network: bool = False

    def options(self) -> list[str]:
        """What ``mouth-live process`` is told for one of several videos at once: the same, but where the network is."""
        given = {
            "time": "media" if self.media_time else "first",
            "model": self.model,
            "backend": self.backend,
            "min-score": self.min_score,
            "min-face": self.min_face,
        }
        profile = [] if self.profile is None else [f"--profile={self.profile}"]
        return [f"--{name}={value}" for name, value in given.items()] + profile + ["--overwrite"]


def process(jobs: Sequence[Job], settings: Settings) -> None:
    """Do the jobs; one that fails does not keep the others from being done.

    Raises:
        MouthLiveError: the only job failed, all failed, or (exit code 3) some of several.
    """
    open_jobs = [job for job in jobs if not _is_done(job, settings)]
    if settings.at_once > 1 and len(open_jobs) > 1:
        failed = _side_by_side(open_jobs, settings)
    else:
        failed = _one_by_one(open_jobs, settings, alone=len(jobs) == 1)
    if failed:
        names = ", ".join(str(job.source) for job in failed)
        kind = MouthLiveError if len(failed) == len(jobs) else SomeFailedError
        raise kind(f"{len(failed)} of {len(jobs)} inputs failed: {names}")


def _side_by_side(jobs: Sequence[Job], settings: Settings) -> list[Job]:
    """Those of the jobs that failed."""
    model = load_openness_model(settings.model, settings.device)
    if model.device == "cpu":
        return process_side_by_side(jobs, settings.options(), settings.at_once)
    with closing(SharedNetwork(model)) as shared:
        return process_side_by_side(jobs, settings.options(), settings.at_once, shared)


def _load(settings: Settings) -> OpennessModel:
    if not settings.shared_network:
        return load_openness_model(settings.model, settings.device)
    name = load_weights(settings.model, "openness").name
    return OpennessModel(name, "gpu", asking(sys.stdout.buffer, sys.stdin.buffer))


def _one_by_one(jobs: Sequence[Job], settings: Settings, alone: bool) -> list[Job]:
    """Those of the jobs that failed; the error itself where the job is alone."""
    cv2.setNumThreads(1)  # the stages run side by side; OpenCV's own threads for single warps only get in their way
    model = _load(settings)
    finder = FaceFinder(settings.min_score, settings.backend, min_face=settings.min_face)
    failed: list[Job] = []
    for number, job in enumerate(jobs, 1):
        try:
            _process_one(job, settings, finder, model, "" if alone else f"[{number}/{len(jobs)}] ")
        except MouthLiveError as error:
            if alone:
                raise
            log.error("%s", error)
            failed.append(job)
    return failed


def _is_done(job: Job, settings: Settings) -> bool:
    """Whether its outputs are there already, which is told."""
    if settings.overwrite or isinstance(job.output, str):
        return False
    done = job.output.exists() and (settings.annotate is None or settings.annotate.exists())
    if done:
        log.info("%s: is there already, skipped (--overwrite does it again)", job.output)
    return done


def _process_one(job: Job, settings: Settings, finder: FaceFinder, model: OpennessModel, prefix: str) -> None:
    cut_off: IncompleteVideoError | None = None
    faces, count = set[int](), 0
    with ExitStack() as stack:
        video = stack.enter_context(open_video(job.source))
        sinks: list[CsvSink | AnnotatedVideo] = [
            stack.enter_context(CsvSink(job.output, video.start if settings.media_time else 0.0))
        ]
        if settings.annotate:
            annotated = AnnotatedVideo(settings.annotate, job.source, video.size, video.nominal_rate, video.start)
            sinks.append(stack.enter_context(annotated))
        ahead = stack.enter_context(Relay(video, depth=4, drop=False))
        # Pictures of a folder need not follow on each other: each is looked at anew.
        look_every = 0 if isinstance(video, Pictures) else LOOK_EVERY
        pipeline = Pipeline(finder, model, profile_for(settings.profile, model.name), look_every=look_every)
        batch = GPU_BATCH if model.device == "gpu" else 1
        run = stack.enter_context(closing(pipeline.run(ahead, batch=batch, overlap=True)))
        try:
            for analysis in _with_progress(run, video, prefix + job.source.name):
                for sink in sinks:
                    sink.write(analysis)
                count += 1
                faces.update(reading.face_id for reading in analysis.readings)
        except IncompleteVideoError as error:
            cut_off = error  # what could be read is kept, whole
    done = f"{job.source}: {count} frames, {len(faces)} face{'' if len(faces) == 1 else 's'}"
    if isinstance(job.output, Path):
        log.info("%s -> %s", done, ", ".join(str(path) for path in (job.output, settings.annotate) if path))
    if cut_off:
        raise cut_off


def _with_progress(analyses: Iterable["Analysis"], video: VideoSource, title: str) -> Iterator["Analysis"]:
    """The same analyses, with a bar on a terminal: how far, how fast, how long still."""
    if not sys.stderr.isatty():
        yield from analyses
        return
    from tqdm import tqdm

    total = round(video.duration * video.nominal_rate) if video.duration else None
    with tqdm(total=total, desc=title, unit=" frames", leave=False) as bar:
        for analysis in analyses:
            yield analysis
            bar.update()

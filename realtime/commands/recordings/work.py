"""Make the products of one recording, each with its manifest."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType

from ....models.errors import DecodingError, IncompleteVideoError, MouthLiveError, SourceError, StretchError
from ...faces.stretches import StretchRecord, is_long
from ...records import Analysis
from ...session import Session, open_session
from ...settings import AnalysisSettings, Networks
from ...sinks.missing_face import MissingFace
from ...sinks.progress import Progress
from ...sinks.sink import Sink, refuse_shared_files
from ...video.sources import VideoSource, open_video
from .manifest import Manifest, has_manifest, manifest_path, new_manifest, origin_of, write_manifest
from .merged_ids import MergedIds
from .places import HERE, Places
from .plan import Job
from .products import ProductOptions, make_sink

log = logging.getLogger("mouth_live")

Split = Callable[[Path, VideoSource], AbstractContextManager[Callable[[int], StretchRecord | None]]]
"""Has the stretches of an open recording analysed by other processes, and gives the record of each by its number."""


@dataclass(frozen=True, slots=True)
class Work:
    """What was done of a recording.

    Attributes:
        frames: the number of frames that were analysed.
        faces: the number of different faces.
        seconds: the length of the recording in seconds.
    """

    frames: int
    faces: int
    seconds: float


def do_job(
    job: Job,
    options: ProductOptions,
    settings: AnalysisSettings,
    networks: Networks,
    prefix: str | None = "",
    split: Split | None = None,
    *,
    places: Places = HERE,
    watch: Sequence[Sink] = (),
) -> Work:
    """Make the products of one recording in one pass over it, and report them in one line.

    Args:
        job: the recording and its products.
        options: how they are written.
        settings: the settings of the analysis.
        networks: the networks of these settings.
        prefix: the beginning of the progress bar's title; None: no bar.
        split: has the stretches of a long recording analysed by other processes; None: this one does all.
        places: where the files are on this machine.
        watch: sinks that see the frames too.

    Raises:
        MouthLiveError: it failed, and none of its products is left; BusyError: another run makes one of them;
            IncompleteVideoError: the recording is cut off, and its products are complete up to that point.
    """
    make = partial(_do_job, job, options, settings, networks, prefix, places=places, watch=watch)
    pictures = options.merge_ids or any(target.kind == "video" for target in job.targets)
    try:
        return make(split, pictures)
    except StretchError as error:
        log.info("%s: %s; it is analysed again by one process", job.source, error)
    except DecodingError as error:
        log.info("%s; it is decoded again on the CPU", error)
    return make(None, pictures=True)


def _do_job(
    job: Job,
    options: ProductOptions,
    settings: AnalysisSettings,
    networks: Networks,
    prefix: str | None,
    split: Split | None,
    pictures: bool,
    *,
    places: Places,
    watch: Sequence[Sink],
) -> Work:
    cut_off: IncompleteVideoError | None = None
    source = places.local(job.source)
    video = open_video(source, options.track)
    with ExitStack() as stack:
        shared = split is not None and is_long(video) and networks.device is None
        record_of = stack.enter_context(split(source, video)) if split and shared else None
        session = open_session(video, settings, networks=networks, record_of=record_of, pictures=pictures)
        stack.enter_context(session)
        sinks = [make_sink(target, options, settings, job.source, session, places) for target in job.targets]
        merged = _merged(sinks, session) if options.merge_ids else None
        progress = Progress((prefix or "") + job.source.name, session.frame_count, shown=prefix is not None)
        manifests = _Manifests(job, options, settings, places)
        try:
            session.run([*([merged] if merged else sinks), manifests, progress, MissingFace(options.face), *watch])
        except IncompleteVideoError as error:
            cut_off = error
        except MouthLiveError:
            manifests.remove()
            raise
        if merged:
            progress.join(merged.ids)
        work = Work(progress.frames, progress.faces, progress.time + 1 / session.source.nominal_rate)
        reason = str(cut_off) if cut_off else str(getattr(session.source, "damage", ""))
    manifests.finish(work, sinks, places.as_named(reason), exit_code=cut_off.exit_code if cut_off else 0)
    _report(job, progress.counts, sinks)
    if cut_off:
        raise cut_off
    return work


def _merged(sinks: Sequence[Sink], session: Session) -> MergedIds:
    """Return the sink that gives joined ids to the others; the session does not see these, so they are checked here.

    Raises:
        MissingExtraError: what tells people apart is not installed.
        UsageError: a sink's file is the source itself, or the file of another sink.
    """
    from ....models.face_embedding import FaceEmbedder

    refuse_shared_files(sinks, getattr(session.source, "files", ()))
    return MergedIds(sinks, FaceEmbedder())


class _Manifests(Sink):
    """Writes the manifests of a recording's products: unfinished just before they get their names, then finished.

    So a product with a finished manifest is always the one that the manifest describes, whenever the program is killed.
    """

    def __init__(self, job: Job, options: ProductOptions, settings: AnalysisSettings, places: Places) -> None:
        """Look at the recording before it is analysed.

        Raises:
            SourceError: the recording cannot be read.
            MouthLiveError: the weights or the profile cannot be read.
        """
        self._manifests: dict[Path, Manifest] = {}
        targets = [target for target in job.targets if has_manifest(target)]
        if not targets:
            return
        try:
            origin = origin_of(job.source, settings, places)
        except OSError as error:
            raise SourceError(f"{job.source}: cannot read it ({error.strerror})") from None
        self._manifests = {
            places.local(Path(target.path)): new_manifest(target, origin, options, places) for target in targets
        }

    def write(self, analysis: Analysis) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the unfinished manifests; the session closes this sink before those of the products."""
        if kind is None:
            for path, manifest in self._manifests.items():
                write_manifest(path, manifest)

    def remove(self) -> None:
        """Remove the unfinished manifests of products that failed while they were completed."""
        for path in self._manifests:
            if not path.exists():
                with suppress(OSError):
                    manifest_path(path).unlink()

    def finish(self, work: Work, sinks: Sequence[Sink], reason: str, exit_code: int) -> None:
        """Write the finished manifests.

        Raises:
            SinkError: a manifest cannot be written.
        """
        rows = {sink.path: sink.rows for sink in sinks}
        for path, manifest in self._manifests.items():
            made = replace(manifest, frames=work.frames, faces=work.faces, seconds=round(work.seconds, 6))
            made = replace(made, rows=rows.get(path, 0), whole=not reason, reason=reason, exit_code=exit_code)
            write_manifest(path, made.of_product(path))


def _report(job: Job, counts: str, sinks: Sequence[Sink]) -> None:
    paths = [str(target.path) for target in job.targets if isinstance(target.path, Path)]
    if paths:
        words = [counts, *(sink.counts for sink in sinks if sink.counts and sink.path)]
        log.info("%s: %s -> %s", job.source, ", ".join(words), ", ".join(paths))

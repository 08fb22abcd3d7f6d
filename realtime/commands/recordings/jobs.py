"""The jobs of ``mouth-live process``: one recording and one output each, all checked before any work starts."""

import glob
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import SinkError, SourceError, UsageError
from ...sinks.text_sink import STDOUT
from ...video.recording_files import (
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    is_hidden,
    is_video_name,
    recording_path,
    visible_files,
)
from ..file_formats import check_table_name, refuse_file_name
from ..output_files import refuse_input

log = logging.getLogger("mouth_live")


@dataclass(frozen=True, slots=True)
class Job:
    """One recording to process.

    Attributes:
        source: the video or picture.
        output: the CSV file, or ``"-"`` for stdout.
    """

    source: Path
    output: Path | str


@dataclass(frozen=True, slots=True)
class Products:
    """The options for the outputs of each recording.

    Attributes:
        annotate: the file for the annotated video; None for none.
        overwrite: replace existing outputs.
        media_time: count timestamps from the container's zero, as its sound does, not from the first frame.
        track: the number of the video track to read, from 0; None: the file's default.
    """

    annotate: Path | None = None
    overwrite: bool = False
    media_time: bool = False
    track: int | None = None


def plan_jobs(inputs: Sequence[str], output: str | None) -> list[Job]:
    """Find the recordings and name their outputs.

    Args:
        inputs: videos, pictures, folders (searched recursively) and globs.
        output: for one video, a file or ``"-"``. For a folder, a glob or several inputs, a folder, which is made if its
            parent exists. None: the current folder.

    Raises:
        UsageError: ``"-"`` is given for several inputs, two inputs have one output, or an output is an input.
        SourceError: a folder or a glob contains no videos.
        SinkError: the output folder cannot be made.
    """
    found = [(root, video) for item in inputs for root, video in _expand(item)]
    folder = Path(output or ".")
    several = len(inputs) > 1 or recording_path(inputs[0]).is_dir() or _is_glob(inputs[0])
    if not several:
        _, source = found[0]
        target: Path | str = output if output == STDOUT else Path(output or f"{source.stem}.csv")
        jobs = [Job(source, target / f"{source.stem}.csv" if isinstance(target, Path) and target.is_dir() else target)]
    else:
        if output == STDOUT:
            raise UsageError("-o -: several inputs cannot share stdout; give a folder")
        jobs = [Job(video, folder / video.relative_to(root).with_suffix(".csv")) for root, video in found]
    _refuse_clashes(jobs)
    if not several:
        refuse_input([Path(jobs[0].output)], [jobs[0].source])
        check_table_name(output)
    else:
        refuse_file_name(folder)
        _make_folders(folder, jobs)
    return jobs


def _expand(item: str) -> list[tuple[Path, Path]]:
    """Return (root, recording) for each recording of one input; the output keeps the structure below the root."""
    path = recording_path(item)
    if path.is_dir():
        files = visible_files(path)
        videos = [file for file in files if is_video_name(file)]
        if not videos:
            raise SourceError(f"{item}: no videos in this folder (looked for {', '.join(sorted(VIDEO_SUFFIXES))})")
        _report_left_out(item, len(files) - len(videos))
        return [(path, video) for video in videos]
    if _is_glob(item):
        matches = [Path(match) for match in sorted(glob.glob(item, recursive=True))]  # noqa: PTH207
        known = VIDEO_SUFFIXES | PICTURE_SUFFIXES
        files = [match for match in matches if match.is_file() and match.suffix.lower() in known]
        files = [match for match in files if not any(is_hidden(part) for part in _found_parts(match, item))]
        if not files:
            raise SourceError(f"{item}: no video or picture matches this pattern")
        return [(file.parent, file) for file in files]
    return [(path.parent, path)]


def _found_parts(match: Path, pattern: str) -> set[str]:
    """Return the parts of a match that its pattern does not spell out."""
    return set(match.parts) - set(Path(pattern).parts)


def _report_left_out(folder: str, count: int) -> None:
    if count:
        words = (
            "1 file is no video by its name and was"
            if count == 1
            else f"{count} files are no videos by their names and were"
        )
        log.info("%s: %s left out", folder, words)


def _is_glob(item: str) -> bool:
    return glob.has_magic(item) and not Path(item).exists()


def _make_folders(folder: Path, jobs: Sequence[Job]) -> None:
    """Make the output folder, if its parent exists, and the folders in it that keep the inputs' structure."""
    try:
        folder.mkdir(exist_ok=True)
        for job in jobs:
            Path(job.output).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{error.filename}: cannot make this folder ({error.strerror}); give another -o") from None


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Path] = {}
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        if isinstance(job.output, str):
            continue
        target = job.output.resolve()
        if target in sources:
            raise UsageError(f"{job.output}: the output would overwrite an input; give another -o")
        other = owners.setdefault(target, job.source)
        if other != job.source:
            raise UsageError(f"{other} and {job.source} would both be written to {job.output}; process them separately")

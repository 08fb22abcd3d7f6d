"""``mouth-live report``: a table as a page with curves, numbers and the video at the cursor."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...models.errors import MouthLiveError, SinkError, SomeFailedError, TableError, UsageError
from ...models.whole_file import same_file, whole_file
from .file_formats import PAGE, PNG, STDOUT, SVG, format_of, refuse_file_name
from .limit_options import activity_limit_option
from .output_files import Clash, OutputFile, dated, keep_existing, overwrite_option, refuse_clashes, refuse_input
from .summary import find_tables

if TYPE_CHECKING:
    from ..sinks.report.index_page import Card
    from ..sinks.report.recording import Recording

log = logging.getLogger("mouth_live")

SUFFIX = ".report.html"
INDEX = "index.html"


@click.command(short_help="A page with curves, numbers and the video.")
@click.argument("table", type=click.Path(path_type=Path), metavar="TABLE")
@click.option("--video", type=click.Path(path_type=Path), metavar="FILE", help="The table's recording.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="OUT", help="A file; of a folder a folder.")
@click.option("--png", type=OutputFile(), metavar="FILE", help="Write the curves as a figure too.")
@click.option("--svg", type=OutputFile(), metavar="FILE", help="Write the curves as a vector figure too.")
@activity_limit_option
@overwrite_option
def report(
    table: Path,
    video: Path | None,
    output: Path | None,
    png: Path | None,
    svg: Path | None,
    activity_limit: float,
    overwrite: bool,
) -> None:
    """Make a page of a table: each face's openness, activity and events with zoom, its numbers, and the video.

    TABLE is a CSV, Parquet or JSON lines file that process or --csv wrote, or a folder, which is searched recursively:
    it gets a page for each table, and index.html over them. The page needs no network. The video stays a file of its
    own; without --video it is the one that the table was made from, or that has its name.

    \b
    mouth-live report talk.csv                talk.report.html in the current folder
    mouth-live report tables/ -o reports/     a page for each table, and reports/index.html
    """  # noqa: D301
    from ..sinks.report.libraries import bokeh_script, new_figure

    if table.is_dir():
        if video or png or svg:
            raise UsageError(f"{table}: --video, --png and --svg are for a single table; name a file")
        _report_folder(table, output or Path(), activity_limit, bokeh_script(), overwrite)
        return
    page = dated(output) if output else Path(f"{table.stem}{SUFFIX}")
    if str(page) == STDOUT:
        raise UsageError("-o -: a page refers to its video from where it lies; give a file")
    if page.is_dir():
        page /= f"{table.stem}{SUFFIX}"
    figures = {"png": png, "svg": svg}
    format_of(page, PAGE)
    format_of(png, PNG)
    format_of(svg, SVG)
    refuse_input([page, png, svg], [table, *([video] if video else [])])
    keep_existing([page, png, svg], overwrite)
    if png or svg:
        new_figure(1, 1)  # before any work: it may be missing
    recording = _write_page(_Job(table, page, activity_limit, video), bokeh_script()).recording
    for file_format, path in figures.items():
        if path is not None:
            _write_figure(recording, path, file_format)


@dataclass(frozen=True, slots=True)
class _Job:
    """A table and the page that is made of it."""

    table: Path
    page: Path
    activity_limit: float
    video: Path | None = None


@dataclass(frozen=True, slots=True)
class _Done:
    """What was put on a page."""

    recording: "Recording"
    portraits: Mapping[int, bytes]


def _write_page(job: _Job, library: str) -> _Done:
    """Write one table's page and say so.

    Raises:
        MouthLiveError: the table cannot be read, or the page not written.
    """
    from ..sinks.report.page import report_page
    from ..sinks.report.recording import read_recording
    from ..sinks.report.thumbnails import thumbnails
    from .report_video import find_video, page_video

    recording = read_recording(job.table, job.activity_limit)
    path, problem = find_video(job.table, job.video)
    if path is not None and same_file(path, job.page):
        raise UsageError(f"{job.page}: the output would overwrite the input; give another name")
    video = page_video(path, problem, job.page, recording)
    portraits: Mapping[int, bytes] = thumbnails(recording, path) if path else {}
    _write(job.page, report_page(job.table.stem, recording, video, portraits, library))
    log.info("%s: %s", job.page, _described(recording, path))
    return _Done(recording, portraits)


def _described(recording: "Recording", video: Path | None) -> str:
    from ..sinks.report.page import counted

    summary = recording.summary
    what = f"{counted(len(summary.faces), 'face')} in {counted(summary.frames, 'frame')}"
    return f"{what}, {f'with {video.name}' if video else 'without a video'}"


def _report_folder(folder: Path, out: Path, activity_limit: float, library: str, overwrite: bool) -> None:
    """Write a page for each table in a folder, and the index.

    Raises:
        TableError: no table could be read.
        SomeFailedError: some could not.
    """
    from tqdm.contrib.logging import logging_redirect_tqdm

    from ...models.progress_bar import progress_bar
    from ..sinks.report.index_page import card, index_page
    from ..sinks.report.page import relative_address

    refuse_file_name(out)
    jobs = [
        _Job(path, out / path.relative_to(folder).with_name(f"{path.stem}{SUFFIX}"), activity_limit)
        for path in find_tables((str(folder),))
    ]
    _refuse_same_names(jobs)
    keep_existing([*(job.page for job in jobs), out / INDEX], overwrite)
    _make_folder(out)
    cards: list[Card] = []
    failed: list[str] = []
    with logging_redirect_tqdm([log]):
        for job in progress_bar(jobs, None, "tables", leave=False):
            try:
                _make_folder(job.page.parent, parents=True)
                done = _write_page(job, library)
            except MouthLiveError as error:
                log.error("%s", error)
                failed.append(str(error))
                continue
            title = str(job.table.relative_to(folder).with_suffix(""))
            cards.append(card(title, relative_address(job.page, out), done.recording, done.portraits))
    if not cards:
        raise TableError(f"none of {len(jobs)} tables became a page; the lines above say why")
    _write(out / INDEX, index_page(folder.resolve().name, cards, failed))
    log.info("%s: %d recording%s", out / INDEX, len(cards), "" if len(cards) == 1 else "s")
    if failed:
        raise SomeFailedError(f"{len(failed)} of {len(jobs)} tables failed; the lines above say why")


def _refuse_same_names(jobs: Iterable[_Job]) -> None:
    pages: dict[Path, Path] = {}
    clashes: list[Clash] = []
    for job in jobs:
        other = pages.setdefault(job.page, job.table)
        if other != job.table:
            clashes.append(Clash(f"{other} and {job.table}", job.page))
    refuse_clashes(clashes, "make their reports one by one")


def _make_folder(folder: Path, parents: bool = False) -> None:
    try:
        folder.mkdir(parents=parents, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder}: cannot make this folder ({error.strerror}); give another -o") from None


def _write(path: Path, parts: Iterable[str]) -> None:
    """Write a page as a whole."""
    with (
        whole_file(path, "; give another -o", keep_suffix=False, error=SinkError) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        file.writelines(parts)


def _write_figure(recording: "Recording", path: Path, file_format: str) -> None:
    from ..sinks.report.figure import write_figure

    with whole_file(path, "; give another name", error=SinkError) as part:
        write_figure(recording, part, file_format)
    log.info("%s: the curves as a figure", path)

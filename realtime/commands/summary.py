"""``mouth-live summary``: one table over many recordings."""

import logging
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from ...models.errors import MouthLiveError, SinkError, SomeFailedError, TableError, UsageError
from ...models.whole_file import same_file, whole_file
from .completion import complete_files
from .file_formats import SUMMARY, SUMMARY_FORMATS, TABLE_FORMATS, format_of
from .limit_options import activity_limit_option
from .output_files import dated, keep_existing, overwrite_option

if TYPE_CHECKING:
    from ..sinks.tables.summary import TableSummary

log = logging.getLogger("mouth_live")

_SUFFIXES = {f".{name}" for name in TABLE_FORMATS}


@click.command(short_help="One table or page over many tables.")
@click.argument("paths", nargs=-1, required=True, metavar="TABLE...", shell_complete=complete_files)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(SUMMARY_FORMATS),
    help="Default: that of FILE's ending, or csv.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A file; default: stdout.")
@activity_limit_option
@overwrite_option
def summary(
    paths: tuple[str, ...], format_name: str | None, output: Path | None, activity_limit: float, overwrite: bool
) -> None:
    """Sum up tables that process or --csv wrote: one row for each recording and face.

    TABLE is a CSV, Parquet or JSON lines file, or a folder, which is searched recursively. Other files in a folder are
    left out.

    \b
    mouth-live summary tables/                     as CSV on stdout
    mouth-live summary tables/ -o summary.html     as a page for a browser
    mouth-live summary tables/ --activity-limit 0.3
                                                   less movement is enough
    """  # noqa: D301
    output = None if output is None or str(output) == "-" else dated(output)
    chosen = format_of(output, SUMMARY, format_name) or SUMMARY_FORMATS[0]
    tables = find_tables(paths)
    if output is not None and any(same_file(output, table) for table in tables):
        raise UsageError(f"{output}: the output would overwrite a table; give another name")
    keep_existing([output], overwrite)
    failed: list[Path] = []
    from ..sinks.tables.summary_formats import as_csv, as_html

    with _opened(output) as file:
        for text in (as_html if chosen == "html" else as_csv)(_summaries(tables, activity_limit, failed)):
            file.write(text)
        if len(failed) == len(tables):
            raise TableError(f"none of {len(tables)} tables could be read; the lines above say why")
    if failed:
        raise SomeFailedError(f"{len(failed)} of {len(tables)} tables failed: {', '.join(map(str, failed))}")


def find_tables(paths: tuple[str, ...]) -> list[Path]:
    """Return the tables that are named, and those in the folders that are named.

    Raises:
        TableError: a folder has no table.
        MissingExtraError: a table is Parquet, and pyarrow is not installed.
    """
    from ..sinks.tables.blocks import is_table
    from ..video.recording_files import visible_files

    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        files = [file for file in visible_files(path) if file.suffix.lower() in _SUFFIXES]
        tables = [file for file in files if is_table(file)]
        left_out = len(files) - len(tables)
        if left_out:
            words = (
                "file is no table of readings and was" if left_out == 1 else "files are no tables of readings and were"
            )
            log.info("%s: %d %s left out", path, left_out, words)
        if not tables:
            raise TableError(f"{path}: no table of readings in this folder; make some with: mouth-live process")
        found += tables
    return found


def _summaries(tables: list[Path], activity_limit: float, failed: list[Path]) -> "Iterator[TableSummary]":
    """Yield the summary of each table; report one that cannot be read, and add it to ``failed``."""
    from ...models.progress_bar import progress_bar
    from ..sinks.tables.summary import summarize

    for table in progress_bar(tables, None, "tables", leave=False):
        try:
            yield summarize(table, activity_limit=activity_limit)
        except MouthLiveError as error:
            if len(tables) == 1:
                raise
            log.error("%s", error)
            failed.append(table)


@contextmanager
def _opened(output: Path | None) -> Generator[TextIO]:
    """Open the file to write, which gets its name when the block ends well, or stdout."""
    if output is None:
        yield sys.stdout
        return
    with (
        whole_file(output, "; give another -o", keep_suffix=False, error=SinkError) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file

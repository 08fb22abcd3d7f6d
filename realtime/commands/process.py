"""``mouth-live process``: convert recorded video to tables, with events and annotated videos beside them."""

from pathlib import Path
from typing import Any

import click

from ...models.errors import UsageError
from ..sinks.drawing.themes import Theme
from .completion import complete_files
from .file_formats import FORMAT_NAMES, TABLE, TABLE_FORMATS, VIDEO, format_of_output
from .options import analysis_options, refuse_unused_theme, take_settings, theme_option
from .output_files import refuse_input
from .recordings_options import recordings_options, take_run_options

NEXT_TO_TABLE = "\0"  # the value of --annotate without one


@click.command(short_help="Recordings to tables and annotated videos.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...", shell_complete=complete_files)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    shell_complete=complete_files,
    help="One video: a file, or '-' for stdout. Several: a folder.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(TABLE_FORMATS),
    help="Of the table; default: that of the ending of OUT, or csv. parquet needs the extra [parquet].",
)
@click.option(
    "--events",
    "event_formats",
    type=click.Choice(FORMAT_NAMES),
    multiple=True,
    help="Write lip events too, beside the table, in the same pass; may be repeated.",
)
@click.option(
    "--annotate",
    is_flag=False,
    flag_value=NEXT_TO_TABLE,
    shell_complete=complete_files,
    metavar="[FILE]",
    help="Write an annotated video too, in the same pass: beside the table as NAME.annotated.mp4, or to FILE; for "
    "several inputs, into this folder.",
)
@theme_option
@click.option("--with-file", is_flag=True, help="Add a last column, file: the recording, as it was given.")
@click.option(
    "--time",
    "clock",
    type=click.Choice(["first", "media"]),
    default="first",
    show_default=True,
    help="Count timestamps from the first frame, or from the container's zero, as its sound does.",
)
@click.option(
    "--merge-ids",
    is_flag=True,
    help="Give tracks of one person one id, told by appearance after the recording. Not with --annotate. Needs the "
    "extra [people].",
)
@click.option("--dry-run", is_flag=True, help="List what would be done, and do nothing.")
@recordings_options
@analysis_options("auto", events=True)
def process(
    inputs: tuple[str, ...],
    output: str | None,
    format_name: str | None,
    event_formats: tuple[str, ...],
    annotate: str | None,
    theme: Theme,
    clock: str,
    with_file: bool,
    merge_ids: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Convert recorded video to a table, with one row for each face of each frame.

    INPUT is a video, a still picture, a folder (searched for videos and folders of pictures, recursively) or a glob.
    Without -o the table is NAME.csv in the current folder. Beside each output lies OUT.json, which says what it was
    made from; what is complete is skipped by the next run.

    \b
    A table for a spreadsheet or a script
      mouth-live process talk.mp4                    writes talk.csv
      mouth-live process talk.mp4 -o talk.parquet    as Parquet
      mouth-live process talk.mp4 -o - | head        to stdout

    \b
    A video to look at
      mouth-live process talk.mp4 --annotate         beside the table
      mouth-live process talk.mp4 --annotate --theme debug
                                                     with key points and curves

    \b
    When lips move
      mouth-live process talk.mp4 --events textgrid  beside the table, for Praat

    \b
    Many recordings
      mouth-live process clips/ -o tables/           a folder; run it again to go on
      mouth-live process clips/ -o tables/ --dry-run
                                                     what it would do

    \b
    Exit code: 0 done; 1 failed; 2 wrong options; 3 some inputs failed, the others are done; 130 Ctrl-C.
    """  # noqa: D301
    if merge_ids and annotate is not None:
        raise UsageError("--merge-ids: who is who is known at the end only, too late for --annotate; make two runs")
    refuse_unused_theme(annotate is not None, "add --annotate")
    from ..sinks.tables.formats import check_format
    from ..video.recording_files import recording_path
    from .recordings.inputs import names_several
    from .recordings.plan import Wanted, plan_jobs
    from .recordings.products import ProductOptions
    from .recordings.run import process_recordings

    run, exclude, track = take_run_options(options)
    kind: Any = options["kind"] or (None if options["preset"] else "activity")
    preset = options["preset"] or ""
    settings = take_settings(options)
    several = names_several(inputs)
    if output is not None and not several:
        refuse_input([Path(output)], [recording_path(inputs[0])])
    table = format_of_output(output, TABLE, format_name, several) or TABLE_FORMATS[0]
    check_format(table)
    if merge_ids:
        from ...models.face_embedding import find_weights

        find_weights()
    wanted = [Wanted("table", table, output)]
    wanted += [Wanted("events", name) for name in event_formats]
    if annotate is not None:
        format_of_output(None if annotate == NEXT_TO_TABLE else annotate, VIDEO, None, several)
        wanted.append(Wanted("video", "mp4", None if annotate == NEXT_TO_TABLE else annotate))
    jobs = plan_jobs(inputs, wanted, several, exclude)
    products = ProductOptions(
        with_file=with_file,
        media_time=clock == "media",
        merge_ids=merge_ids,
        track=track,
        preset=preset,
        interval_kind=kind,
        theme=theme,
    )
    process_recordings(jobs, products, settings, run, Path(output or ".") if several else None)

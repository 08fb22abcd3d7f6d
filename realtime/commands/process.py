"""``mouth-live process``: convert recorded video to CSV."""

from pathlib import Path
from typing import Any

import click

from ...models.whole_file import same_file
from .file_formats import VIDEO, format_of
from .options import analysis_options, take_settings
from .output_files import OutputFile, overwrite_option


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("-o", "--output", metavar="OUT", help="One video: a file, or '-' for stdout. Several: a folder.")
@click.option("--annotate", type=OutputFile(), metavar="FILE", help="Write an annotated video too (one input only).")
@overwrite_option
@click.option(
    "--time",
    "clock",
    type=click.Choice(["first", "media"]),
    default="first",
    show_default=True,
    help="Count timestamps from the first frame, or from the container's zero, as its sound does.",
)
@click.option(
    "-j",
    "--jobs",
    "at_once",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Videos at once, each in its own process. One process uses about two cores and 0.2 GB of memory.",
)
@click.option(
    "--track",
    type=click.IntRange(min=0),
    metavar="N",
    help="Read this video track of files that have several, from 0; default: the one that the file marks as default.",
)
@analysis_options("auto", events=True)
def process(
    inputs: tuple[str, ...],
    output: str | None,
    annotate: Path | None,
    clock: str,
    at_once: int,
    **options: Any,  # noqa: ANN401
) -> None:
    """Convert recorded video to CSV, with one row for each face of each frame.

    INPUT is a video, a still picture, a folder (searched for videos, recursively) or a glob. Without -o the CSV is
    NAME.csv in the current folder.

    \b
    mouth-live process talk.mp4                        writes talk.csv
    mouth-live process talk.mp4 -o - | head            to stdout
    mouth-live process talk.mp4 --annotate seen.mp4    with an annotated video
    mouth-live process recordings/ -o tables/          a folder, its structure kept
    mouth-live process recordings/ -o tables/ -j 4     four videos at a time

    \b
    Exit code: 0 done; 1 failed; 2 wrong options; 3 some inputs failed, the others are done; 130 Ctrl-C.
    """  # noqa: D301
    settings = take_settings(options)
    from .recordings.jobs import Products, plan_jobs
    from .recordings.process import process_recordings

    jobs = plan_jobs(inputs, output)
    if annotate and len(jobs) > 1:
        raise click.UsageError("--annotate needs a single input; process the inputs one at a time")
    if annotate and any(same_file(annotate, job.source) for job in jobs):
        raise click.UsageError(f"{annotate}: the annotated video would overwrite the input")
    format_of(annotate, VIDEO)
    process_recordings(jobs, Products(annotate, media_time=clock == "media", **options), settings, at_once)

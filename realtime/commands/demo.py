"""``mouth-live demo``: the whole pipeline on a short clip that ships with the program."""

from pathlib import Path
from typing import Any

import click

from ..sinks.drawing.themes import Theme
from .file_formats import refuse_file_name
from .options import analysis_options, take_settings, theme_option
from .output_files import overwrite_option


@click.command(short_help="See it work without a camera.")
@click.option("--no-window", is_flag=True, help="Write the annotated video and the CSV instead of showing them.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("mouth-live-demo"),
    show_default=True,
    metavar="FOLDER",
    help="Folder for them, made if its parent exists.",
)
@overwrite_option
@theme_option
@analysis_options(events=True)
def demo(no_window: bool, output: Path, overwrite: bool, theme: Theme, **options: Any) -> None:  # noqa: ANN401
    """Show the whole pipeline on a short clip that ships with the program; it needs no camera and no file.

    \b
    mouth-live demo                       in a window; without a display as --no-window
    mouth-live demo --theme debug         with all that the networks say
    mouth-live demo --no-window           as a video and a table in mouth-live-demo/
    """  # noqa: D301
    settings = take_settings(options)
    refuse_file_name(output)
    from .demo_clip import run_demo

    run_demo(no_window, output, settings, overwrite, theme)

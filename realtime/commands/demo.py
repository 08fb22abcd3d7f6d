"""``mouth-live demo``: the whole pipeline on a short clip that ships with the program."""

from pathlib import Path
from typing import Any

import click

from .options import analysis_options, take_settings


@click.command()
@click.option("--no-window", is_flag=True, help="Write the annotated video and the CSV instead of showing them.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder for them; default: the current one."
)
@analysis_options(events=True)
def demo(no_window: bool, output: Path, **options: Any) -> None:  # noqa: ANN401
    """Show the whole pipeline on a short clip that ships with the program; it needs no camera and no file."""
    settings = take_settings(options)
    from .demo_clip import run_demo

    run_demo(no_window, output, settings)

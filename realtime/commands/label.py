"""``mouth-live label``: label faces of your own video."""

from pathlib import Path
from typing import Any

import click

from .file_formats import TABLE, format_of
from .options import analysis_options, take_settings
from .output_files import refuse_input


@click.command()
@click.argument("video")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="labels.csv",
    show_default=True,
    help="The table to write, or to continue.",
)
@click.option("--count", type=click.IntRange(1), default=50, show_default=True, help="Faces to offer.")
@analysis_options(profile=False)
def label(video: str, output: Path, count: int, **options: Any) -> None:  # noqa: ANN401
    """Label faces of your own VIDEO, each with one key.

    Keys: 0 closed, 1 to 3 quarters open, 4 fully open; b goes back, s skips, q stops. The command offers frames that
    are far apart in time and in openness, the most informative first. Every label is saved at once; the same command
    continues where you stopped.

    \b
    mouth-live label me.mp4 -o mine.csv
    mouth-live train --from shipped --data mine.csv && mouth-live export runs/fine-tuned -o mine.tflite
    mouth-live --model mine.tflite
    """  # noqa: D301
    settings = take_settings(options)
    from ..video.recording_files import recording_path

    source = recording_path(video)
    refuse_input([output], [source])
    format_of(output, TABLE)
    from .labelling.window import label_video

    label_video(source, output, count, settings)

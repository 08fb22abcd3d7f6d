"""``mouth-live label``: label faces of your own video."""

from pathlib import Path

import click

from .options import model_option


@click.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="labels.csv",
    show_default=True,
    help="The table to write.",
)
@click.option("--count", type=click.IntRange(1), default=50, show_default=True, help="Faces to offer.")
@model_option
def label(video: Path, output: Path, count: int, model: str) -> None:
    """Label faces of your own VIDEO with a key each: 0 closed, 1, 2, 3 quarters, 4 fully open; b back, s skip, q stop.

    Offers frames far apart in time and in what the network reads, the most telling first. Every label is saved at
    once; the same command goes on where you stopped.

    \b
    mouth-live label me.mp4 -o mine.csv
    mouth-live train --from shipped --data mine.csv && mouth-live export runs/fine-tuned -o mine.tflite
    mouth-live --model mine.tflite
    """  # noqa: D301
    from .labelling.window import label as run

    run(video, output, count, model)

"""``mouth-live export``: from a training run to the file that the program runs."""

import logging
from pathlib import Path

import click

log = logging.getLogger("mouth_live")


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="NAME.tflite", help="The file to write."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FACES",
    help="Write NAME.keep.npz too, from the faces it was trained on: what train --from NAME.tflite must not spoil.",
)
def export(run_folder: Path, output: Path, keep: Path | None) -> None:
    """Make the file that the program runs, NAME.tflite with its card NAME.json, from a training run's folder."""
    from ...models.training.export import export as run

    task = run(run_folder, output)
    if keep:
        from ...models.training.keep import write_keep

        write_keep(output, keep)
    if task == "openness":
        log.info("wrote %s; use it with --model %s", output, output)
    else:
        log.info("wrote %s; it takes the place of models/weights/face_check.tflite, with its card", output)

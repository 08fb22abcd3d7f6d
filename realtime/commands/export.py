"""``mouth-live export``: convert a training run to the weights file that the program loads."""

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
    help="Write NAME.keep.npz too, from the training faces: train --from NAME.tflite then keeps reading them well.",
)
def export(run_folder: Path, output: Path, keep: Path | None) -> None:
    """Convert a training run's folder to the file that the program loads: NAME.tflite, with its card NAME.json."""
    from ...models.training.export import export as export_run

    task = export_run(run_folder, output)
    if keep:
        from ...models.training.keep import write_keep

        write_keep(output, keep)
    if task == "openness":
        log.info("wrote %s; use it with --model %s", output, output)
    else:
        log.info("wrote %s; it takes the place of models/weights/face_check.tflite, with its card", output)

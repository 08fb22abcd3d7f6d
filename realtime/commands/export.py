"""``mouth-live export``: convert a training run to the weights file that the program loads."""

import logging
from pathlib import Path

import click

from ...models.errors import DataError
from .file_formats import NETWORK, format_of
from .output_files import OutputFile, keep_existing, overwrite_option

log = logging.getLogger("mouth_live")


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path), metavar="RUN")
@click.option("-o", "--output", type=OutputFile(), required=True, metavar="NAME.tflite", help="The file to write.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="FACES",
    help="Write NAME.keep.npz too, from the training faces: train --from NAME.tflite then keeps reading them well.",
)
@overwrite_option
def export(run_folder: Path, output: Path, keep: Path | None, overwrite: bool) -> None:
    """Convert a training run's folder to the file that the program loads: NAME.tflite, with its card NAME.json.

    \b
    mouth-live export runs/compact -o mine.tflite                 then: mouth-live --model mine.tflite
    mouth-live export runs/compact -o mine.tflite --keep FACES    for train --from mine.tflite too
    """  # noqa: D301
    format_of(output, NETWORK)
    suffixes = (".tflite", ".json", ".keras", *([".keep.npz"] if keep else []))
    keep_existing([output.with_suffix(suffix) for suffix in suffixes], overwrite)
    if keep and not keep.is_dir():
        raise DataError(f"{keep}: no such folder; --keep takes a folder of labelled faces")
    from ...models.training.export import export as export_run

    task = export_run(run_folder, output)
    if keep:
        from ...models.training.keep import write_keep

        write_keep(output, keep)
    if task == "openness":
        log.info("wrote %s; use it with --model %s", output, output)
    else:
        log.info("wrote %s; it takes the place of models/weights/face_check.tflite, with its card", output)

"""``mouth-live verify``: check products against their manifests and recordings."""

import logging
from pathlib import Path

import click

from ...models.control_characters import escape_control_characters
from ...models.errors import DataError

log = logging.getLogger("mouth_live")


@click.command(short_help="Check products against their recordings.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")
@click.option("--quick", is_flag=True, help="Compare hashes only; do not decode the recordings.")
def verify(folder: Path, quick: bool) -> None:
    """Check each product in OUT against its manifest (OUT.json) and its recording.

    Compared are the product's hash, the recording's content, and by decoding the recording again the number of frames
    and rows and the time of each row.

    \b
    mouth-live verify tables/            decodes every recording again
    mouth-live verify tables/ --quick    hashes only

    \b
    Exit code: 0 all is well; 1 a product is missing, damaged, or not of the whole recording.
    """  # noqa: D301
    from .recordings.verify import verify_products

    if not folder.is_dir():
        what = "a file" if folder.exists() else "no such folder"
        raise DataError(f"{folder}: {what}; give the folder with the products")
    checked = wrong = 0
    for verdict in verify_products(folder, quick):
        checked, wrong = checked + 1, wrong + bool(verdict.problems)
        for problem in verdict.problems:
            click.echo(escape_control_characters(f"{verdict.product}: {problem}"))
    if not checked:
        raise DataError(f"{folder}: no products with a manifest in it; only files of process and events have one")
    if wrong:
        raise DataError(f"{folder}: {wrong} of {checked} products are not as they should be")
    log.info("%s: %d product%s, all as they should be", folder, checked, "" if checked == 1 else "s")

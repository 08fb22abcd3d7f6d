"""The training subpackage's doors: ``train``, ``evaluate``, ``export``."""

import logging
from pathlib import Path

import click

log = logging.getLogger("mouth_live")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with labels.csv and images/.")
@click.option("--preset", default="compact", show_default=True, help="Network, optimiser and schedule.")
@click.option("--exclude", multiple=True, metavar="SET", help="Leave a set out (repeat for several).")
@click.option("--permissive", is_flag=True, help="Leave out all sets for research only or without stated terms.")
@click.option(
    "--landmarks", type=click.Path(path_type=Path), help="A landmark model's points (see models/training/landmarks.py)."
)
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="Folder for the results; default runs/PRESET."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the split, the order and the variations.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in that folder.")
def train(
    data: Path,
    preset: str,
    exclude: tuple[str, ...],
    permissive: bool,
    landmarks: Path | None,
    run_folder: Path | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Train an openness network on labelled faces (extra [train]): weights, history, curve and report in a folder."""
    from ..models.training.data import not_permissive
    from ..models.training.train import train as run

    left_out = {*exclude, *(not_permissive(data) if permissive else ())}
    run(data, run_folder or Path("runs") / preset, preset, seed, overwrite, left_out, landmarks)


@click.command()
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with labels.csv and images/.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the report to this file too.")
def evaluate(model: str, data: Path, json_path: Path | None) -> None:
    """Measure MODEL (a name or a .tflite file) on the labelled faces that training never saw."""
    from ..models.training.evaluate import evaluate as run

    report = run(model, data)
    click.echo(report.as_text())
    if json_path:
        json_path.write_text(report.as_json(), encoding="utf-8")


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="NAME.tflite", help="The file to write."
)
def export(run_folder: Path, output: Path) -> None:
    """Make the file that the program runs, NAME.tflite with its card NAME.json, from a training run's folder."""
    from ..models.training.export import export as run

    run(run_folder, output)
    log.info("wrote %s; use it with --model %s", output, output)

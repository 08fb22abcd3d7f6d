"""The training subpackage's doors: ``label``, ``train``, ``evaluate``, ``export``."""

import logging
from pathlib import Path

import click

from .command_options import model_option
from .errors import SinkError

log = logging.getLogger("mouth_live")


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder with labels.csv and images/; a table by label.",
)
@click.option("--preset", default="compact", show_default=True, help="Network, optimiser and schedule.")
@click.option("--exclude", multiple=True, metavar="SET", help="Leave a set out (repeat for several).")
@click.option("--permissive", is_flag=True, help="Leave out all sets for research only or without stated terms.")
@click.option(
    "--landmarks",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A landmark model's points (see models/training/landmarks.py); repeat for a second model's.",
)
@click.option(
    "--from",
    "base",
    metavar="MODEL",
    help="Begin with these weights ('shipped', a name or a .tflite file): fitted to your own faces where --data is a "
    "table by label, trained on where it is a folder.",
)
@click.option(
    "--videos", type=click.Path(path_type=Path), help="With --from: folder of the videos that the table names."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="With --from: folder of labelled faces that must stay well read; default what ships with the weights.",
)
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="Folder for the results; default runs/PRESET."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the split, the order and the variations.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Cross-validation: train N networks, each without a part of the people, whom it then reads (left_out.csv). "
    "The same command again goes on where it was stopped.",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in that folder.")
def train(
    data: Path,
    preset: str,
    exclude: tuple[str, ...],
    permissive: bool,
    landmarks: tuple[Path, ...],
    base: str | None,
    videos: Path | None,
    keep: Path | None,
    run_folder: Path | None,
    seed: int,
    folds: int | None,
    overwrite: bool,
) -> None:
    """Train an openness network on labelled faces (extra [train]): weights, history, curve and report in a folder.

    \b
    mouth-live train --data FACES                          a new network
    mouth-live train --from shipped --data mine.csv        the shipped one, fitted to your own labelled faces
    mouth-live train --from shipped --data FACES           the shipped one, trained on
    """  # noqa: D301
    if base == "shipped":
        from ..models.openness import DEFAULT_WEIGHTS

        base = DEFAULT_WEIGHTS
    if base is not None and not data.is_dir():
        _refuse_with_table("preset", "exclude", "permissive", "landmarks", "folds")
        from ..models.training.fine_tune import fine_tune

        fine_tune(base, data, run_folder or Path("runs") / "fine-tuned", videos, keep, seed, overwrite)
        return
    if videos or keep:
        raise click.UsageError("--videos and --keep go with --from and a table by label")
    if base and permissive:
        raise click.UsageError("--permissive is for a new network; that of --from may have learned from all sets")
    from ..models.training.data import not_permissive
    from ..models.training.train import train as run

    left_out = {*exclude, *(not_permissive(data) if permissive else ())}
    run(data, run_folder or Path("runs") / preset, preset, seed, overwrite, left_out, landmarks, base, folds or 0)


def _refuse_with_table(*names: str) -> None:
    """Usage error where one of these options, of faces in a folder, was given."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name} is for faces in a folder; it does not go with a table by label")


@click.command()
@click.argument("model")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder with labels.csv and pictures, or a table by label."
)
@click.option("--sets", metavar="A,B", help="Only these sets of the labels.")
@click.option(
    "--part",
    type=click.Choice(["test", "train", "all"]),
    help="Of the labels. Default: test, but all of a set in --sets that has no test part.",
)
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the videos that a table by label names.")
@click.option("--compare", metavar="OTHER", help="Compare face by face with a network, predictions.csv or report.json.")
@click.option(
    "--landmarker",
    type=click.Path(path_type=Path),
    metavar="FILE.task",
    help="Read the same faces with mediapipe's FaceLandmarker too (extra [mediapipe]; it reports its use to Google).",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the report to this file.")
@click.option(
    "--html", "html_path", type=click.Path(path_type=Path), help="Write a page with plots and the worst faces."
)
def evaluate(
    model: str,
    data: Path | None,
    sets: str | None,
    part: str | None,
    videos: Path | None,
    compare: str | None,
    landmarker: Path | None,
    json_path: Path | None,
    html_path: Path | None,
) -> None:
    """Measure MODEL on labelled faces that training never saw, each figure with its 95 % interval over people.

    MODEL is a network's name or .tflite file; predictions.csv (columns file, openness and perhaps reliability); or an
    earlier report.json.

    \b
    mouth-live evaluate openness_reference --data FACES --html page.html --json a.json
    mouth-live evaluate mine.tflite --data FACES --compare openness_reference
    mouth-live evaluate a.json --compare b.json
    """  # noqa: D301
    from ..models.training.evaluation.evaluate import Choice
    from ..models.training.evaluation.evaluate import evaluate as run
    from ..models.training.evaluation.text import as_text

    for path in (json_path, html_path):
        if path and not path.parent.is_dir():  # told before minutes of work, not after
            raise SinkError(f"{path}: no such folder; make it or give another file")
    names = tuple(name.strip() for name in (sets or "").split(",") if name.strip())
    measured = run(model, Choice(data, names, part, videos, compare, landmarker))
    click.echo(as_text(measured.report))
    if json_path:
        write_whole(json_path, measured.report.as_json())
    if html_path:
        from ..models.training.evaluation.page import as_page
        from ..models.training.evaluation.worst_faces import worst_faces

        worst = worst_faces(measured.report.faces, measured.subjects, measured.looks)
        write_whole(html_path, as_page(measured.report, worst))


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises:
        SinkError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot write it ({error.strerror}); give another file") from None
    log.info("wrote %s", path)


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
    from .label_window import label as run

    run(video, output, count, model)


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
    from ..models.training.export import export as run

    run(run_folder, output)
    if keep:
        from ..models.training.keep import write_keep

        write_keep(output, keep)
    log.info("wrote %s; use it with --model %s", output, output)

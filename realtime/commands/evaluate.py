"""``mouth-live evaluate``: measure a network on labelled faces."""

import logging
from pathlib import Path

import click

from ...models.errors import SinkError
from ...models.whole_file import whole_file
from .file_formats import PAGE, REPORT, format_of
from .options import refuse_unknown_model
from .output_files import OutputFile, keep_existing, overwrite_option, refuse_input

log = logging.getLogger("mouth_live")


@click.command()
@click.argument("model")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder with labels.csv and pictures, or a table made by label."
)
@click.option("--sets", metavar="A,B", help="Only these sets of the labels.")
@click.option(
    "--part",
    type=click.Choice(["test", "train", "all"]),
    help="Part of the labels. Default: test, but all of a set in --sets that has no test part.",
)
@click.option("--videos", type=click.Path(path_type=Path), help="Folder of the videos that a table of label names.")
@click.option("--compare", metavar="OTHER", help="Compare face by face with a network, predictions.csv or report.json.")
@click.option(
    "--landmarker",
    type=click.Path(path_type=Path),
    metavar="FILE.task",
    help="Read the same faces with mediapipe's FaceLandmarker too (extra [mediapipe]; it reports its use to Google).",
)
@click.option("--json", "json_path", type=OutputFile(), help="Write the report to this file.")
@click.option("--html", "html_path", type=OutputFile(), help="Write a page with plots and the worst faces.")
@overwrite_option
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
    overwrite: bool,
) -> None:
    """Measure MODEL on labelled faces that were not used in training; each figure has its 95 % interval over people.

    MODEL is a network's name or .tflite file; predictions.csv (columns file, openness and perhaps reliability); or an
    earlier report.json.

    \b
    mouth-live evaluate openness_reference --data FACES --html page.html --json a.json
    mouth-live evaluate mine.tflite --data FACES --compare openness_reference
    mouth-live evaluate a.json --compare b.json
    """  # noqa: D301
    from ...models.training.evaluation.evaluate import Choice
    from ...models.training.evaluation.evaluate import evaluate as run_evaluation
    from ...models.training.evaluation.text import as_text
    from ..video.frames_at import frames_at

    _check_network(model, "MODEL")
    if compare:
        _check_network(compare, "--compare")
    refuse_input([json_path, html_path], [model, *([compare] if compare else [])])
    format_of(json_path, REPORT)
    format_of(html_path, PAGE)
    keep_existing([json_path, html_path], overwrite)
    for path in (json_path, html_path):
        if path and not path.parent.is_dir():  # fail before minutes of work, not after
            raise SinkError(f"{path}: no such folder; make it or give another file")
    names = tuple(name.strip() for name in (sets or "").split(",") if name.strip())
    measured = run_evaluation(model, Choice(data, names, part, videos, compare, landmarker, frames_at))
    click.echo(as_text(measured.report))
    if json_path:
        _write(json_path, measured.report.as_json())
    if html_path:
        from ...models.training.evaluation.page import as_page
        from ...models.training.evaluation.worst_faces import worst_faces

        worst = worst_faces(measured.report.faces, measured.subjects, measured.found)
        _write(html_path, as_page(measured.report, worst))


def _check_network(name: str, option: str) -> None:
    """Raise a usage error where a name is neither a network's nor that of a file with values."""
    if Path(name).suffix not in (".csv", ".json"):
        refuse_unknown_model(name, option)


def _write(path: Path, text: str) -> None:
    with whole_file(path, "; give another file", keep_suffix=False, error=SinkError) as part:
        part.write_text(text, encoding="utf-8")
    log.info("wrote %s", path)

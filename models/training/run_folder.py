"""What a training run leaves behind, and its report.

| file | what |
|---|---|
| ``weights.keras`` | the weights of the best epoch, or of the last where the schedule is fixed |
| ``history.csv`` | a row an epoch: loss, seconds since the start; of the reference also validation and learning rate |
| ``curve.png`` | the two losses over the epochs |
| ``report.json``, ``report.md`` | how it was made; errors on people and photos never seen |
| ``patches.npz`` | the mouths cut out, so that a repeat starts at once; delete it freely |
"""

import csv
import json
import platform
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import DataError
from ..weights_file import Weights
from . import extra_packages
from .augment import plain
from .data import LabelledFace, split
from .evaluate import Measure, Report, measure
from .network import CompactPreset, Preset, read_crops
from .patches import Patches
from .whole_file import whole_file

WEIGHTS, HISTORY, CURVE, REPORT, REPORT_TEXT = "weights.keras", "history.csv", "curve.png", "report.json", "report.md"
PATCHES = "patches.npz"

SPLIT = (
    "by set and person, by photo where a set does not tell people apart (helen, merl_rav); "
    "faces of part 'test' were neither trained on nor chosen by"
)

History = list[dict[str, float]]


def report_run(
    run: Path,
    patches: Patches,
    chosen: Preset | CompactPreset,
    seed: int,
    landmarks: int = 0,
    base: Weights | None = None,
) -> Report:
    """Measure a run's weights and write its report and its curve.

    Args:
        run: the folder, with weights and history.
        patches: all that the run was given.
        chosen: its preset.
        seed: its seed, which gives the same split again.
        landmarks: of how many faces a landmark model's points took part.
        base: the weights it began with.

    Returns:
        The report on the test part; on validation where there is none.

    Raises:
        DataError: the folder holds no weights, or a file cannot be written.
    """
    model = load_trained(run)
    history = read_history(run)
    training, validation = (patches.chosen(rows) for rows in split(patches.faces, chosen.validation, seed))
    tested = patches.chosen(i for i, face in enumerate(patches.faces) if face.part == "test")
    validation = validation.chosen(i for i, face in enumerate(validation.faces) if not face.covered)
    reports: dict[str, Report] = {}
    if validation.faces:
        reports["validation"] = measure_network(model, validation, [])
    if tested.faces:
        missed = [face for face in patches.missed if face.part == "test"]
        reports["test"] = measure_network(model, tested, missed)
    facts = {
        "preset": asdict(chosen),
        "seed": seed,
        "command": f"mouth-live train --data FACES --preset {chosen.name} --seed {seed}"
        + (f" --from {base.name}" if base else "")
        + (" --landmarks landmarks.npz" if landmarks else ""),
        **({"from": {"name": base.name, "sha256": base.card["sha256"]}} if base else {}),
        "data": {
            "training": count_by_set(training.faces),
            "validation": count_by_set(validation.faces),
            "test": count_by_set(tested.faces),
            "not_found": count_by_set(patches.missed),
            "training_labelled_by_people": sum(face.by_people and not face.covered for face in training.faces),
            "training_covered": sum(face.covered for face in training.faces),
            "training_with_landmarks": landmarks,
        },
        "split": SPLIT,
        "epochs": len(history),
        "best_epoch": int(min(history, key=lambda row: row.get("val_loss", -row["epoch"]))["epoch"]),
        "seconds": round(history[-1]["seconds"]),
        "versions": _versions(),
        **{name: asdict(report) for name, report in reports.items()},
    }
    try:
        _draw(history, run / CURVE)
        (run / REPORT_TEXT).write_text(_as_markdown(facts, reports), encoding="utf-8")
        (run / REPORT).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{run}: cannot write the report ({error.strerror})") from None
    if not reports:
        raise DataError(f"{run}: no face was kept aside to measure on; mark some with part 'test'")
    return reports.get("test") or reports["validation"]


def load_trained(run: Path) -> Any:  # noqa: ANN401
    """The Keras model of a run.

    Raises:
        DataError: the folder holds none.
    """
    try:
        return extra_packages.keras().models.load_model(run / WEIGHTS, compile=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: holds no finished training run ({str(error).splitlines()[0]})") from None


def measure_network(model: Any, patches: Patches, missed: list[LabelledFace]) -> Report:  # noqa: ANN401
    """Measure a Keras model on mouths as the pipeline would cut them, with the neutral gender pair."""
    return measure(patches.faces, read_crops(model, plain(patches.images))[:, 0], missed)


def write_history(history: History, run: Path) -> None:
    """Write ``history.csv``, a row an epoch."""
    with (run / HISTORY).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(run: Path) -> History:
    """Read it back."""
    with (run / HISTORY).open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def count_by_set(faces: list[LabelledFace]) -> dict[str, int]:
    """Faces by set, the most first."""
    return dict(Counter(face.source for face in faces).most_common())


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "keras": str(extra_packages.keras().__version__),
        "tensorflow": str(extra_packages.tensorflow().__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }


def _as_markdown(facts: dict[str, Any], reports: dict[str, Report]) -> str:
    data = facts["data"]
    lines = [
        f"# Training run: preset {facts['preset']['name']}, seed {facts['seed']}",
        "",
        f"{sum(data['training'].values())} faces trained on, {data['training_labelled_by_people']} of them labelled by "
        f"people; {sum(data['not_found'].values())} not found. Split {facts['split']}.",
        f"{facts['epochs']} epochs in {facts['seconds'] / 60:.0f} minutes; the weights are those of epoch "
        f"{facts['best_epoch']}.",
        "`times` is the squared error of always answering the mean of the same faces, divided by the network's: "
        "higher is better, 1 is worthless.",
        "",
        "| faces | n | not found | squared error | absolute error | times | correlation |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        lines.append(_row(f"**{name}**", report))
        lines += [_row(f"{name}: {source}", measured) for source, measured in report.by_source.items()]
    for name, report in reports.items():
        ranges = ", ".join(f"{label} {error:.3f} (n={count})" for label, (error, count) in report.by_openness.items())
        lines += ["", f"Absolute error by true openness, {name}: {ranges}."]
    return "\n".join(lines) + "\n"


def _row(name: str, m: Measure) -> str:
    return f"| {name} | {m.faces} | {m.missed} | {m.mse:.5f} | {m.mae:.3f} | {m.ratio:.2f} | {m.pearson:.3f} |"


def _draw(history: History, path: Path) -> None:
    figure = extra_packages.new_figure(7, 4)
    axes = figure.subplots()
    epochs = [row["epoch"] for row in history]
    for key, label in (
        ("loss", "training (varied crops, weighted)"),
        ("val_loss", "validation (people never trained on)"),
    ):
        if key in history[0]:
            axes.plot(epochs, [row[key] for row in history], marker=".", label=label)
    axes.set(xlabel="epoch", ylabel="loss", yscale="log")
    axes.legend()
    with whole_file(path) as part:
        figure.savefig(part)

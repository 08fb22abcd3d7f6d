"""What a training run leaves behind, and its report.

| file | what |
|---|---|
| ``weights.keras`` | the weights of the best epoch, or of the last where the schedule is fixed |
| ``history.csv`` | a row an epoch: loss, seconds since the start; of the reference also validation and learning rate |
| ``curve.png`` | the two losses over the epochs |
| ``report.json``, ``report.md`` | how it was made; errors on people and photos never seen |
| ``fold-0``, ... | with ``--folds``: a run folder for each fold |
| ``left_out.csv`` | with ``--folds``: each face as the network read it that was trained without its person |
| ``patches.npz`` | the mouths cut out, so that a repeat starts at once; delete it freely |
"""

import csv
import importlib
import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..openness import twice_if_unsure
from ..weights_file import Weights
from ..whole_file import whole_file
from . import extra_packages
from .augment import plain
from .data import LabelledFace
from .evaluate import Measure, Report, measure
from .network import CompactPreset, ReferencePreset, read_crops
from .patches import Patches

WEIGHTS, HISTORY, CURVE, REPORT, REPORT_TEXT = "weights.keras", "history.csv", "curve.png", "report.json", "report.md"
PATCHES, LEFT_OUT = "patches.npz", "left_out.csv"

SPLIT = (
    "by set and person, by photo where a set does not tell people apart (helen, merl_rav); "
    "faces of part 'test' were neither trained on nor chosen by"
)

History = list[dict[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The faces of a run by what it does with them.

    Attributes:
        training: trained on.
        validation: people kept aside to tell when to stop.
        test: never looked at before the end.
        left_out: those of the people of a fold.
        missed: labels whose face the finder did not find, of any part.
    """

    training: Patches
    validation: Patches
    test: Patches
    left_out: Patches
    missed: Sequence[LabelledFace]


def plan(
    parts: Parts,
    chosen: ReferencePreset | CompactPreset,
    seed: int,
    landmarks: int = 0,
    base: Weights | None = None,
    folds: int = 0,
    options: Sequence[str] = (),
) -> dict[str, Any]:
    """What tells a run from others before it begins: the beginning of its report.

    Args:
        parts: its faces.
        chosen: its preset.
        seed: its seed.
        landmarks: of how many faces trained on a landmark model's points take part.
        base: the weights it begins with.
        folds: in how many parts people are divided, one of which is left out; 0: none is.
        options: of the command that asked for it, what the others do not tell.
    """
    faces = parts.training.faces
    facts = {
        "preset": asdict(chosen),
        "seed": seed,
        "command": f"mouth-live train --data FACES --preset {chosen.name} --seed {seed}"
        + (f" --from {base.name}" if base else "")
        + "".join(f" {option}" for option in options)
        + (f" --folds {folds}" if folds else ""),
        **({"from": {"name": base.name, "sha256": base.card["sha256"]}} if base else {}),
        "data": {
            "training": count_by_set(faces),
            "validation": count_by_set(parts.validation.faces),
            "test": count_by_set(parts.test.faces),
            **({"left_out": count_by_set(parts.left_out.faces)} if folds else {}),
            "not_found": count_by_set(parts.missed),
            "training_labelled_by_people": sum(face.by_people and not face.covered for face in faces),
            "training_covered": sum(face.covered for face in faces),
            "training_with_landmarks": landmarks,
        },
        "split": SPLIT,
    }
    return json.loads(json.dumps(facts))  # as it is when it is read back


def is_done(run: Path, planned: dict[str, Any]) -> bool:
    """Whether the folder holds the finished run of a plan.

    Raises:
        DataError: it holds another run.
    """
    if not (run / REPORT).exists():
        return False
    try:
        facts: dict[str, Any] = json.loads((run / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts = {}
    if any(facts.get(name) != value for name, value in planned.items()):
        raise DataError(f"{run}: holds a run with other data or settings; give another --run or --overwrite")
    return True


def report_run(run: Path, parts: Parts, planned: dict[str, Any]) -> Report | None:
    """Measure a run's weights and write its report and its curve.

    Args:
        run: the folder, with weights and history.
        parts: its faces.
        planned: by :func:`plan`.

    Returns:
        The report on those left out; where there are none on the test part, or on validation; None: nobody was kept
        aside at all.

    Raises:
        DataError: the folder holds no weights, or a file cannot be written.
    """
    model = load_trained(run)
    history = read_history(run)
    reports: dict[str, Report] = {}
    for name, patches in (("validation", parts.validation), ("left_out", parts.left_out), ("test", parts.test)):
        seen = patches.chosen(i for i, face in enumerate(patches.faces) if not face.covered)
        if seen.faces:
            missed = [face for face in parts.missed if name == "test" == face.part]
            reports[name] = measure_network(model, seen, missed)
    facts = {
        **planned,
        "epochs": len(history),
        "best_epoch": int(min(history, key=lambda row: row.get("val_loss", -row["epoch"]))["epoch"]),
        "seconds": round(history[-1]["seconds"]),
        "versions": _versions(),
        **{name: asdict(report) for name, report in reports.items()},
    }
    try:
        _draw(history, run / CURVE)
        (run / REPORT_TEXT).write_text(_as_markdown(facts, reports), encoding="utf-8")
        with whole_file(run / REPORT) as part:
            part.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{run}: cannot write the report ({error.strerror})") from None
    return next((reports[name] for name in ("left_out", "test", "validation") if name in reports), None)


def write_left_out(
    run: Path, data: Path, faces: Sequence[LabelledFace], values: NDArray[np.float32], missed: Sequence[LabelledFace]
) -> None:
    """Write what the folds' networks read, a table that ``mouth-live evaluate`` takes.

    Args:
        run: the folder.
        data: the labels' folder; the table names pictures relative to it.
        faces: those that were read.
        values: (n,) float32, their openness.
        missed: those that the finder did not find.
    """
    with whole_file(run / LEFT_OUT) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "openness"])
        for face, value in [*zip(faces, values.tolist(), strict=True), *((face, None) for face in missed)]:
            name = face.file.relative_to(data).as_posix()
            writer.writerow([name, "" if value is None else f"{value:.4f}"])


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
    return measure(patches.faces, read_plain(model, patches), missed)


def read_plain(model: Any, patches: Patches) -> NDArray[np.float32]:  # noqa: ANN401
    """Openness of mouths as the program would cut and read them with a Keras model, (n,) float32."""
    return twice_if_unsure(partial(read_crops, model))(plain(patches.images))[:, 0]


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


def count_by_set(faces: Sequence[LabelledFace]) -> dict[str, int]:
    """Faces by set, the most first."""
    return dict(Counter(face.source for face in faces).most_common())


def _versions() -> dict[str, str]:
    keras = extra_packages.keras()
    backend = str(keras.backend.backend())
    return {
        "python": platform.python_version(),
        "keras": str(keras.__version__),
        backend: str(importlib.import_module(backend).__version__),
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

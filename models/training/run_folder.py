"""The folder that a training run leaves behind, the same for every network.

| file | what |
|---|---|
| ``weights.keras`` | the weights of the best epoch, or of the last where the schedule is fixed |
| ``history.csv`` | one row for each epoch (for each strength of a fine-tuned network) |
| ``curve.png`` | the losses over the epochs |
| ``report.json``, ``report.md`` | how the network was made; its errors on people and photos never seen |
| ``fold-0``, ... | with ``--folds``: one run folder for each fold |
| ``left_out.csv`` | with ``--folds``: each face as read by the network that was trained without its person |
| ``patches.npz`` | the mouths cut out, so that a repeated run starts at once; it may be deleted |
"""

import csv
import importlib
import json
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from ..errors import DataError
from ..whole_file import whole_file
from . import extra_packages

WEIGHTS, HISTORY, CURVE, REPORT, REPORT_TEXT = "weights.keras", "history.csv", "curve.png", "report.json", "report.md"
PATCHES, LEFT_OUT = "patches.npz", "left_out.csv"

History = Sequence[dict[str, float]]
"""One dict for each epoch: ``epoch``, ``loss``, ``seconds`` and what else the network's training measures."""


def refuse_used(run: Path, overwrite: bool) -> None:
    """Check that a folder may be written to.

    Raises:
        DataError: it holds weights, and ``overwrite`` is not given.
    """
    if (run / WEIGHTS).exists() and not overwrite:
        raise DataError(f"{run}: holds a run already; give another --run or --overwrite")


def begin_run(run: Path, replaced: Iterable[Path] | None = None) -> None:
    """Make a run's folder, and remove the report and the weights of an earlier run.

    Args:
        run: the folder; made with its parents.
        replaced: the folders from which to remove them; None: ``run``.

    Raises:
        DataError: it cannot be written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        for folder in (run,) if replaced is None else replaced:
            for old in (REPORT, WEIGHTS):
                (folder / old).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{run}: cannot write to this folder ({error.strerror}); give another --run") from None


def save_weights(run: Path, model: Any) -> None:  # noqa: ANN401
    """Write a Keras model as the run's weights.

    Raises:
        DataError: the file cannot be written.
    """
    with whole_file(run / WEIGHTS, "; give another --run") as part:
        model.save(part)


def finish_run(run: Path, facts: dict[str, Any], text: str) -> None:
    """Write the report: a folder with a report is a finished run.

    Args:
        run: the folder.
        facts: the report, for ``report.json``.
        text: the same for readers, for ``report.md``.

    Raises:
        DataError: a file cannot be written.
    """
    with whole_file(run / REPORT_TEXT) as part:
        part.write_text(text, encoding="utf-8")
    with whole_file(run / REPORT) as part:
        part.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def load_trained(run: Path) -> Any:  # noqa: ANN401
    """Load the Keras model of a run.

    Raises:
        DataError: the folder holds none.
    """
    try:
        return extra_packages.keras().models.load_model(run / WEIGHTS, compile=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: holds no finished training run ({str(error).splitlines()[0]})") from None


def read_report(run: Path) -> dict[str, Any]:
    """Read the report of a run.

    Raises:
        DataError: the folder holds no finished run.
    """
    try:
        return cast("dict[str, Any]", json.loads((run / REPORT).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{run}: holds no finished training run ({error})") from None


def write_history(history: History, run: Path) -> None:
    """Write ``history.csv``, one row for each epoch."""
    with (run / HISTORY).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def read_history(run: Path) -> History:
    """Read ``history.csv``."""
    with (run / HISTORY).open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def draw_history(history: History, run: Path) -> None:
    """Draw the losses over the epochs into ``curve.png``.

    Raises:
        DataError: the file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
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
    with whole_file(run / CURVE) as part:
        figure.savefig(part)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that decide what a run gives."""
    keras = extra_packages.keras()
    backend = str(keras.backend.backend())
    return {
        "python": platform.python_version(),
        "keras": str(keras.__version__),
        backend: str(importlib.import_module(backend).__version__),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }

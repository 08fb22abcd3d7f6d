"""What a run of an openness network does with its faces, and what it reports on them."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..openness import twice_if_unsure
from ..weights_file import Weights
from ..whole_file import whole_file
from .augment import plain
from .data import LabelledFace
from .network import CompactPreset, ReferencePreset, read_crops
from .patches import Patches
from .run_folder import (
    LEFT_OUT,
    REPORT,
    draw_history,
    finish_run,
    load_trained,
    package_versions,
    read_history,
    read_report,
)
from .run_report import Report, as_markdown, measure

SPLIT = (
    "by set and person, by photo where a set does not distinguish people (helen, merl_rav); "
    "faces of part 'test' were neither trained on nor chosen by"
)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The faces of a run by what it does with them.

    Attributes:
        training: trained on.
        validation: people kept aside to decide when to stop.
        test: not used before the end.
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
    """Return what distinguishes a run from others before it begins: the first part of its report.

    Args:
        parts: its faces.
        chosen: its preset.
        seed: its seed.
        landmarks: number of faces trained on with a landmark model's points.
        base: the weights it begins with.
        folds: into how many parts people are divided, one of which is left out; 0: none is.
        options: further options of the command.
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
    """Return whether the folder holds the finished run of a plan.

    Raises:
        DataError: it holds another run.
    """
    if not (run / REPORT).exists():
        return False
    try:
        facts = read_report(run)
    except DataError:
        facts = {}
    if any(facts.get(name) != value for name, value in planned.items()):
        raise DataError(f"{run}: holds a run with other data or settings; give another --run or --overwrite")
    return True


def report_run(run: Path, parts: Parts, planned: dict[str, Any]) -> Report | None:
    """Measure a run's weights, and write its report and its curve.

    Args:
        run: the folder, with weights and history.
        parts: its faces.
        planned: by :func:`plan`.

    Returns:
        The report on the faces left out; where there are none, on the test part, or on validation; None where nobody
        was kept aside at all.

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
            reports[name] = measure(seen.faces, read_plain(model, seen), missed)
    facts = {
        **planned,
        "epochs": len(history),
        "best_epoch": int(min(history, key=lambda row: row.get("val_loss", -row["epoch"]))["epoch"]),
        "seconds": round(history[-1]["seconds"]),
        "versions": package_versions(),
        **{name: asdict(report) for name, report in reports.items()},
    }
    draw_history(history, run)
    finish_run(run, facts, as_markdown(facts, reports))
    return next((reports[name] for name in ("left_out", "test", "validation") if name in reports), None)


def write_left_out(
    run: Path, data: Path, faces: Sequence[LabelledFace], values: NDArray[np.float32], missed: Sequence[LabelledFace]
) -> None:
    """Write what the folds' networks read, as a table that ``mouth-live evaluate`` takes.

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


def read_plain(model: Any, patches: Patches) -> NDArray[np.float32]:  # noqa: ANN401
    """Read mouths with a Keras model as the program would cut and read them.

    Returns:
        (n,) float32, openness 0..1.
    """
    return twice_if_unsure(partial(read_crops, model))(plain(patches.images))[:, 0]


def count_by_set(faces: Sequence[LabelledFace]) -> dict[str, int]:
    """Count faces by set, the largest set first."""
    return dict(Counter(face.source for face in faces).most_common())

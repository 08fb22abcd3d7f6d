"""Measure a network, a table of predictions or an earlier report, on labelled faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...openness import load_openness_model
from ...weights_file import load_weights
from ..own_labels import FrameReader
from .compare import Versus, versus, versus_landmarker, versus_rows
from .landmarker import read_landmarks
from .readings import FaceReading, FoundSubject, find_subjects, read_covered, read_from, read_predictions, read_with
from .result import Evaluation, judge_reliability, read_rows, summarise
from .subjects import Subjects, choose

NO_COVERED = np.zeros(0)
PEOPLE, STRETCHES = "people or photos", "stretches of 2 s"


@dataclass(frozen=True, slots=True)
class Choice:
    """On which faces, and with what to compare.

    Attributes:
        data: folder with ``labels.csv`` and the pictures, or a table made by ``mouth-live label``.
        sets: only these sets; none: all.
        part: ``"train"``, ``"test"``, ``"all"``; None: the test part, but all of a set in ``sets`` that has none.
        videos: folder of the videos of own labels.
        compare: another network, table of predictions or report to compare with.
        landmarker: mediapipe's ``face_landmarker.task``, to read the same faces with it.
        read_frames: decodes the videos of own labels; without it they cannot be measured on.
    """

    data: Path | None
    sets: tuple[str, ...] = ()
    part: str | None = None
    videos: Path | None = None
    compare: str | None = None
    landmarker: Path | None = None
    read_frames: FrameReader | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A report, with what is needed to show its faces.

    Attributes:
        report: the figures.
        subjects: the faces' pictures; None where only an earlier report was read.
        found: the faces as found.
    """

    report: Evaluation
    subjects: Subjects | None
    found: list[FoundSubject]


def evaluate(model: str | Path, choice: Choice) -> Measured:
    """Measure by the same path as video: finder, face check, crop, exported network.

    Args:
        model: shipped weights by name, a ``.tflite`` file, a ``.csv`` table of predictions (columns ``file``,
            ``openness`` and perhaps ``reliability``; all the table's faces are taken), or an earlier report ``.json``.
        choice: on which faces.

    Raises:
        ModelError: the weights cannot be read.
        DataError: labels, predictions or a report cannot be read, or no face is left.
        MissingExtraError: mediapipe is needed and not installed.
    """
    if Path(model).suffix == ".json":
        return _again(Path(model), choice)
    if choice.data is None:
        raise DataError(f"{model}: on which faces? give their folder or a table made by mouth-live label with --data")
    is_table = Path(model).suffix == ".csv"
    network = None if is_table else load_openness_model(model, "cpu")
    subjects = _predicted(Path(model), choice) if is_table else _choose(choice.data, choice, choice.part)
    found = find_subjects(subjects)
    rows = read_with(network, found) if network else read_from(Path(model), found)
    covered, hidden = (read_covered(network, p) if network else NO_COVERED for p in (subjects.covered, subjects.hidden))
    weights = None if is_table else load_weights(model, "openness")
    warnings = [] if weights is None else _trained_on(weights.card, subjects)
    overall, by = summarise(rows)
    report = Evaluation(
        weights.name if weights else Path(model).name,
        str(weights.card.get("title", "")) if weights else "predictions made elsewhere",
        str(weights.card["sha256"]) if weights else "",
        str(choice.data),
        STRETCHES if any(subject.own for subject in subjects.chosen) else PEOPLE,
        (*warnings, *subjects.warnings, *_about_labels(rows, subjects)),
        overall,
        by,
        judge_reliability(rows, covered, hidden),
        tuple(_versus(rows, found, subjects, choice)),
        tuple(rows),
    )
    return Measured(report, subjects, found)


def _choose(data: Path, choice: Choice, part: str | None) -> Subjects:
    return choose(data, choice.sets, part, choice.videos, choice.read_frames)


def _again(path: Path, choice: Choice) -> Measured:
    """Compare an earlier report's faces with others; their pictures are not at hand."""
    name, rows = read_rows(path)
    if choice.landmarker:
        raise DataError(f"{path}: --landmarker reads the pictures, so give the network, not its report")
    if choice.compare is not None and Path(choice.compare).suffix != ".json":
        raise DataError(f"{path}: a report is compared with another report (.json), not with {choice.compare}")
    overall, by = summarise(rows)
    made = [versus_landmarker(rows)]
    if choice.compare is not None:
        other, others = read_rows(Path(choice.compare))
        made.append(versus_rows(rows, others, other if other != name else choice.compare))
    plain = Evaluation(
        name, f"from the report {path.name}", "", str(path), PEOPLE, (), overall, by, None, (), tuple(rows)
    )  # fmt: skip
    report = replace(
        plain, reliability=judge_reliability(rows, NO_COVERED, NO_COVERED), versus=tuple(v for v in made if v)
    )
    return Measured(report, None, [])


def _predicted(table: Path, choice: Choice) -> Subjects:
    """Return the labelled faces that a table of predictions names."""
    names = read_predictions(table)
    if choice.data is None or not names:
        raise DataError(f"{table}: no predictions in it")
    subjects = _choose(choice.data, choice, choice.part or "all")
    strangers = [name for name in names if name not in subjects.known]
    if strangers:
        raise DataError(f"{table}: {strangers[0]} is not in {choice.data} ({len(strangers)} such rows)")
    chosen = [subject for subject in subjects.chosen if subject.name in names]
    if not chosen:
        raise DataError(f"{table}: none of its {len(names)} files is among the faces chosen")
    sources = {subject.label.source for subject in chosen}
    whole = sum(subject.label.source in sources for subject in subjects.chosen)
    warnings = [f"values from {table}: whether the network was trained on these faces is not known"]
    if len(names) > len(chosen):
        warnings.append(
            f"{len(names) - len(chosen)} of its {len(names)} rows are left out: faces without label or choice"
        )
    if whole > len(chosen):
        warnings.append(
            f"it has values for {len(chosen)} of the {whole} labelled faces of {', '.join(sorted(sources))}"
        )
    return replace(subjects, chosen=chosen, warnings=tuple(warnings))


def _versus(rows: list[FaceReading], found: list[FoundSubject], subjects: Subjects, choice: Choice) -> list[Versus]:
    made = [versus_landmarker(rows)]
    if choice.landmarker:
        labelled = [i for i, row in enumerate(rows) if row.by_people]
        part = replace(subjects, chosen=[subjects.chosen[i] for i in labelled])
        values = read_landmarks(part, [found[i] for i in labelled], choice.landmarker)
        about = f"{len(labelled)} faces labelled by people, read anew ({int(np.isnan(values).sum())} not found)"
        made.append(versus([rows[i] for i in labelled], values.tolist(), "landmarker (anew)", about))
    if choice.compare is not None:
        made.append(versus_rows(rows, _others(choice.compare, found), Path(choice.compare).name))
    return [one for one in made if one is not None]


def _others(compare: str, found: list[FoundSubject]) -> list[FaceReading]:
    suffix = Path(compare).suffix
    if suffix == ".json":
        return read_rows(Path(compare))[1]
    if suffix == ".csv":
        return read_from(Path(compare), found)
    return read_with(load_openness_model(compare, "cpu"), found)


def _trained_on(card: dict[str, Any], subjects: Subjects) -> list[str]:
    """Return a warning where the faces may have been trained on."""
    data: dict[str, Any] = card.get("data") or {}
    training: dict[str, Any] = data.get("training") or {}
    sources = sorted({s.label.source for s in subjects.chosen if s.label.part != "test"})
    seen = [source for source in sources if source in training]
    if not seen:
        return []
    return [
        f"TRAINED ON: by the network's card it was trained on faces of {', '.join(seen)}, and those measured here are "
        "of no test part. Figures on faces that training saw are too good; they say little about new people."
    ]


def _about_labels(rows: Sequence[FaceReading], subjects: Subjects) -> list[str]:
    warnings: list[str] = []
    by_model = sum(not row.by_people for row in rows)
    if by_model:
        warnings.append(
            f"{by_model} of {len(rows)} labels are a landmark model's, not people's: there the error is the distance "
            "to that model, whose own errors are in it."
        )
    if any(subject.own for subject in subjects.chosen):
        warnings.append(
            "Faces of the user's own videos: the intervals draw stretches of 2 s, so they hold for these people only."
        )
    return warnings

"""Train an openness network and write a run folder (see ``run_folder.py`` for what is in it).

With the reference preset and the project's 20,000 labelled faces, of which 11,000 are trained on, an epoch takes half a
minute on two free cores, and 34 of them were enough.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from . import extra_packages
from .compact import begin_with, training_network
from .compact_training import fit_compact
from .data import LabelledFace, balanced, fold_of, read_covered, read_labels, split
from .landmarks import Landmarks, load_landmarks, no_landmarks
from .last_layer import Twin, load_twin
from .network import DEFAULT_PRESET, CompactPreset, ReferencePreset, preset
from .openness_run import Parts, count_by_set, is_done, plan, read_plain, report_run, write_left_out
from .patches import Patches, load_patches
from .reference_training import fit_reference
from .run_folder import LEFT_OUT, PATCHES, begin_run, load_trained, refuse_used
from .run_report import Report, measure

log = logging.getLogger("mouth_live")


def train(
    data: Path,
    run: Path,
    preset_name: str = DEFAULT_PRESET,
    seed: int = 0,
    overwrite: bool = False,
    exclude: Collection[str] = (),
    landmarks: Sequence[Path] = (),
    base: str | Path | None = None,
    folds: int = 0,
) -> Report | None:
    """Train from labelled faces.

    Args:
        data: folder with ``labels.csv`` and the pictures.
        run: folder to write; made with its parents.
        preset_name: one of :data:`mouth_live.models.training.network.PRESETS`.
        seed: of the choice of faces, the split, the order, the variations and the first weights.
        overwrite: replace an earlier run there (its cut mouths are used again).
        exclude: sets to leave out.
        landmarks: for the compact network, files that the module ``landmarks`` wrote; it does better with them.
        base: compact weights, shipped by name or an exported ``.tflite`` file, to go on from: the last phase only.
        folds: instead of one network for use train so many, each without a part of the people, to measure how right
            such networks are on people of all sets.

    Returns:
        The report on the test part, which training never saw (on validation where the labels have no test part; None
        where the preset validates on nobody either); with ``folds`` on all others.

    Raises:
        DataError: the labels cannot be read, the run folder is in use or cannot be written, an unknown preset,
            or one that cannot go on from weights.
        ModelError: the weights to begin with cannot be read, or are not of the compact network.
        MissingExtraError: Keras (with TensorFlow, JAX or PyTorch) or matplotlib is not installed.
    """
    chosen = preset(preset_name)
    if base and isinstance(chosen, ReferencePreset):
        raise DataError(f"the preset {preset_name} cannot go on from weights; leave --from away, or use compact")
    refuse_used(run, overwrite or folds > 0)
    labels = read_labels(data, exclude)
    if isinstance(chosen, ReferencePreset):
        labels = balanced(labels, chosen.bulk, seed)
    else:
        labels += read_covered(data, exclude)
    # What is missing or does not fit is reported before the minutes that cutting mouths takes.
    extra_packages.keras()
    extra_packages.new_figure(1, 1)
    twin = load_twin(base) if base else None
    if twin:
        begin_with(training_network(), twin.model)
    begin_run(run, (run.glob("fold-*") if overwrite else ()) if folds else None)
    patches = load_patches(data, run / PATCHES, labels)
    if patches.missed:
        by_set = ", ".join(f"{name} {count}" for name, count in count_by_set(patches.missed).items())
        log.warning("%d of %d faces not found, left out: %s", len(patches.missed), len(labels), by_set)
    points = load_landmarks(landmarks, data, patches.faces) if landmarks else no_landmarks(len(patches.faces))
    # Names alone of what lies somewhere on this machine: they go into the card of the weights.
    options = [*(f"--exclude {name}" for name in sorted(exclude)), *(f"--landmarks {path.name}" for path in landmarks)]
    if folds:
        return cross_validate(patches, data, run, chosen, seed, folds, points, twin, options)
    return train_on(patches, run, chosen, seed, points, twin, options=options)


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of the people, number ``number`` of ``count``, from 0."""

    number: int
    count: int

    def holds(self, face: LabelledFace) -> bool:
        """Return whether the face's person is in it; nobody of the test part is, which training leaves out anyway."""
        return face.part != "test" and fold_of(face.group, self.count) == self.number


def train_on(
    patches: Patches,
    run: Path,
    chosen: ReferencePreset | CompactPreset,
    seed: int,
    landmarks: Landmarks | None = None,
    base: Twin | None = None,
    fold: Fold | None = None,
    options: Sequence[str] = (),
) -> Report | None:
    """Train on mouths that are cut already, into a folder that is there; the rest as in :func:`train`.

    Args:
        patches: the mouths.
        run: the folder.
        chosen: the preset.
        seed: as in :func:`train`.
        landmarks: of the same faces; for the compact network.
        base: the compact network to begin with.
        fold: people to leave out; what the folder holds of the same run is not done again.
        options: further options of the command, for the report.

    Raises:
        DataError: too few faces, or the folder holds another run of a fold.
    """
    if base and isinstance(chosen, CompactPreset):
        chosen = replace(chosen, phases=chosen.phases[-1:])
    faces = patches.faces
    left = [i for i, face in enumerate(faces) if fold and fold.holds(face)]
    kept = sorted(set(range(len(faces))) - set(left))
    rows, validation = ([kept[i] for i in side] for side in split([faces[i] for i in kept], chosen.validation, seed))
    tested = [i for i, face in enumerate(faces) if face.part == "test"]
    parts = Parts(
        training=patches.chosen(rows),
        validation=patches.chosen(validation),
        test=patches.chosen(tested),
        left_out=patches.chosen(left),
        missed=patches.missed,
    )
    if len(rows) < chosen.batch or not (validation or isinstance(chosen, CompactPreset)):
        raise DataError(
            f"{len(rows)} faces to train on and {len(validation)} to validate on are too few "
            f"(at least {chosen.batch} and 1); label more people"
        )
    points = (landmarks or no_landmarks(len(faces))).chosen(rows)
    known = int(points.known.sum()) if isinstance(chosen, CompactPreset) else 0
    planned = plan(parts, chosen, seed, known, base and base.weights, fold.count if fold else 0, options)
    if not (left or tested or validation):
        log.warning("no face is of part 'test', so the errors of this network cannot be measured")
    if not (fold and is_done(run, planned)):
        extra_packages.keras().utils.set_random_seed(seed)
        if isinstance(chosen, CompactPreset):
            fit_compact(parts.training, points, chosen, seed, run, base and base.model)
        else:
            fit_reference(parts.training, parts.validation, chosen, seed, run)
    report = report_run(run, parts, planned)
    log.info("%s: %s", run, report.as_text() if report else "done; measure it with mouth-live evaluate")
    return report


def cross_validate(
    patches: Patches,
    data: Path,
    run: Path,
    chosen: ReferencePreset | CompactPreset,
    seed: int,
    folds: int,
    landmarks: Landmarks | None = None,
    base: Twin | None = None,
    options: Sequence[str] = (),
) -> Report:
    """Train a network for each fold, without its people, and read them with it.

    Args:
        patches: the mouths.
        data: the labels' folder.
        run: the folder; that of each fold is made in it.
        chosen: the preset.
        seed: as in :func:`train`.
        folds: how many.
        landmarks: of the same faces; for the compact network.
        base: the compact network to begin with.
        options: as in :func:`train_on`.

    Returns:
        The report on all faces but those of the test part, each read by the network that never saw its person.

    Raises:
        DataError: as in :func:`train_on`, or a fold holds nobody.
    """
    faces: list[LabelledFace] = []
    values: list[NDArray[np.float32]] = []
    for fold in (Fold(number, folds) for number in range(folds)):
        left = patches.chosen(i for i, face in enumerate(patches.faces) if fold.holds(face) and not face.covered)
        if not left.faces:
            raise DataError(f"nobody is in part {fold.number} of {folds} of the people; give fewer --folds")
        folder = run / f"fold-{fold.number}"
        folder.mkdir(exist_ok=True)
        train_on(patches, folder, chosen, seed, landmarks, base, fold, options)
        faces += left.faces
        values.append(read_plain(load_trained(folder), left))
    missed = [face for face in patches.missed if face.part != "test" and not face.covered]
    read = np.concatenate(values)
    write_left_out(run, data, faces, read, missed)
    report = measure(faces, read, missed)
    log.info("%s: %s", run, report.as_text())
    log.info("mouth-live evaluate %s --data %s --sets NAME reports more, set by set", run / LEFT_OUT, data)
    return report

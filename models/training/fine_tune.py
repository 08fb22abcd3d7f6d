"""Fit a shipped network to the user's own faces, from about 50 labelled frames, in a minute.

Only the last layer changes: all that the network sees stays as it is, and so does its reliability. The last layer
minimises the squared error on the labelled frames (as they are, and varied as training varies them) plus a strength
times the error on the faces that the network was trained on, which :mod:`.keep` estimates without the pictures.
The strength is the weakest that leaves the error on those within ``MOST_RISE`` of the lowest. Whether it helps is
measured on stretches of the video that each fit did not see; where it does not help nothing is written.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..crop import crop_faces
from ..errors import DataError
from ..faces import FaceFinder
from .augment import plain, varied
from .keep import Keep, measure_keep, read_keep
from .last_layer import Floats, Head, load_head, sigmoid, solve
from .own_labels import FrameReader, OwnLabel, frames_of, is_own_labels, labelled_face, read_own_labels
from .patches import PATCH_REGION, PATCH_SIZE
from .run_folder import begin_run, finish_run, refuse_used, save_weights, write_history

log = logging.getLogger("mouth_live")

VARIATIONS = 16  # of each labelled frame, besides itself
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
MOST_RISE = 0.05  # as a share of the squared error on the faces that the network was trained on
FOLDS = 5
FEWEST_LABELS, FEWEST_STRETCHES = 10, 3


@dataclass(frozen=True, slots=True)
class Fit:
    """What one strength gives.

    Attributes:
        strength: what the error on the shipped faces counts against the error on the own.
        before: squared error on the own frames as the network is.
        after: the same when fitted.
        held_out: the same on stretches that the fit did not see.
        elsewhere: rise of the squared error on the faces the network was trained on, as a share of it.
    """

    strength: float
    before: float
    after: float
    held_out: float
    elsewhere: float


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """The labelled frames as the last layer sees them: (1 + VARIATIONS, n, k + 1) inputs, (n,) truth and stretch."""

    inputs: Floats
    truth: Floats
    stretch: NDArray[np.int64]

    def chosen(self, rows: NDArray[np.bool_]) -> "_Own":
        """Return those of the rows."""
        return _Own(self.inputs[:, rows], self.truth[rows], self.stretch[rows])


def fine_tune(
    base: str | Path,
    table: Path,
    run: Path,
    read_frames: FrameReader,
    videos: Path | None = None,
    keep: Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> Fit:
    """Fit weights to own labels and write a run folder that ``export`` takes.

    Args:
        base: shipped weights by name, or an exported ``.tflite`` file with its ``.keras`` twin.
        table: made by ``mouth-live label``.
        run: folder to write; made with its parents.
        read_frames: decodes the videos.
        videos: folder of the labelled videos, where they are not next to the table.
        keep: folder of labelled faces that the network must go on reading well; None: the summary next to the weights.
        seed: of the variations and the folds.
        overwrite: replace an earlier run there.

    Raises:
        DataError: labels cannot be read, are too few, or the fit does not help; the folder is in use.
        MouthLiveError: a video cannot be read; of the kind that ``read_frames`` raises.
        ModelError: the weights cannot be read or tuned, or have no summary next to them.
        MissingExtraError: TensorFlow is not installed.
    """
    begin = time.monotonic()
    refuse_used(run, overwrite)
    if not is_own_labels(table):
        raise DataError(f"{table}: neither a table that mouth-live label made (.csv) nor a folder of labelled faces")
    labels = [label for label in read_own_labels(table) if label.openness is not None]
    stretches = len({label.block for label in labels})
    if len(labels) < FEWEST_LABELS or stretches < FEWEST_STRETCHES:
        raise DataError(
            f"{table}: {len(labels)} labelled frames from {stretches} stretches of 2 s are too few "
            f"(at least {FEWEST_LABELS} from {FEWEST_STRETCHES}); label more"
        )
    weights, head = load_head(base)
    kept = measure_keep(head, keep, seed) if keep else read_keep(base, weights)
    if kept is None:
        raise DataError(
            f"{base}: has no .keep.npz beside it; give faces that must stay well read with --keep, or use shipped"
        )
    images = frames_of(labels, table, read_frames, videos)
    own = _seen_by_head(labels, table, images, head, seed)
    fits, change = _best(own, head.weights, kept, seed)
    fit = fits[-1]
    if fit.held_out >= fit.before:
        raise DataError(
            f"{table}: fitting does not help: squared error {fit.before:.4f} now, {fit.held_out:.4f} on stretches that "
            "the fit did not see; label more frames, and more kinds of open mouths"
        )
    head.replace(head.weights + change)
    facts = _facts(weights.name, weights.card, labels, kept, fit, seed, time.monotonic() - begin)
    _write(run, head, fits, facts)
    log.info("%s: %s", run, _in_words(fit))
    return fit


def _seen_by_head(
    labels: Sequence[OwnLabel], table: Path, images: Iterable[tuple[int, NDArray[np.uint8]]], head: Head, seed: int
) -> _Own:
    """Find the labelled faces, cut them out, vary them, and run them through all but the last layer."""
    finder = FaceFinder()
    patches: dict[int, NDArray[np.uint8]] = {}
    for index, image in images:
        face = labelled_face(finder.find(image), labels[index])
        if face is not None:
            patches[index] = crop_faces(image, [face], PATCH_REGION, PATCH_SIZE)[0]
    if len(patches) < FEWEST_LABELS:
        raise DataError(f"{table}: only {len(patches)} of its {len(labels)} faces were found again; label more")
    found = sorted(patches)
    mouths = np.stack([patches[i] for i in found])
    rng = np.random.default_rng(seed)
    crops = [plain(mouths)] + [varied(mouths, rng) for _ in range(VARIATIONS)]
    truth = np.array([labels[i].openness for i in found], np.float64)
    stretch = np.unique([labels[i].block for i in found], return_inverse=True)[1].astype(np.int64)
    inputs = head.inputs_of(np.concatenate(crops)).reshape(len(crops), len(found), -1)
    return _Own(inputs, truth, stretch)


def _best(own: _Own, start: Floats, keep: Keep, seed: int) -> tuple[list[Fit], Floats]:
    """Fit from the strongest hold on the shipped faces to the weakest allowed; return the fits and the last change."""
    fits: list[Fit] = []
    change = np.zeros_like(start)
    for strength in sorted(STRENGTHS, reverse=True):
        tried = solve(own.inputs.reshape(-1, len(start)), np.tile(own.truth, len(own.inputs)), start, keep, strength)
        elsewhere = keep.rise(tried) / max(keep.error, 1e-12)
        if fits and elsewhere > min(fit.elsewhere for fit in fits) + MOST_RISE:
            break
        change = tried
        before, after = (_error(own, start + c) for c in (np.zeros_like(start), tried))
        fits.append(Fit(strength, before, after, _held_out(own, start, keep, strength, seed), elsewhere))
    return fits, change


def _held_out(own: _Own, start: Floats, keep: Keep, strength: float, seed: int) -> float:
    """Return the squared error on stretches that the fit did not see, in folds."""
    stretches = np.random.default_rng(seed).permutation(int(own.stretch.max()) + 1)
    errors: list[float] = []
    for fold in range(min(FOLDS, len(stretches))):
        outside = np.isin(own.stretch, stretches[fold::FOLDS])
        inside = own.chosen(~outside)
        inputs = inside.inputs.reshape(-1, len(start))
        change = solve(inputs, np.tile(inside.truth, len(inside.inputs)), start, keep, strength)
        errors += [_error(own.chosen(outside), start + change)] * int(outside.sum())
    return float(np.mean(errors))


def _error(own: _Own, weights: Floats) -> float:
    return float(np.mean((sigmoid(own.inputs[0] @ weights) - own.truth) ** 2))


def _facts(
    name: str, card: dict[str, Any], labels: Sequence[OwnLabel], keep: Keep, fit: Fit, seed: int, seconds: float
) -> dict[str, Any]:
    """Make the run's report: how it was made, and what it gains."""
    videos = sorted({label.video for label in labels})
    return {
        "preset": {"name": f"fine-tuned from {name}", "changed": "the last layer only"},
        "seed": seed,
        "command": f"mouth-live train --from {name} --data LABELS.csv --seed {seed}",
        "from": {"name": name, "sha256": card["sha256"], "title": card.get("title", "")},
        "data": card.get("data", {}) | {"own_frames": len(labels), "own_videos": videos, "kept_faces": keep.faces},
        "seconds": round(seconds),
        "own": asdict(fit),
    }


def _write(run: Path, head: Head, fits: Sequence[Fit], facts: dict[str, Any]) -> None:
    begin_run(run)
    write_history([asdict(fit) for fit in fits], run)
    save_weights(run, head.model)
    finish_run(run, facts, f"# {facts['preset']['name']}\n\n{_in_words(fits[-1])}\n")


def _in_words(fit: Fit) -> str:
    return (
        f"squared error on the own frames {fit.before:.4f} before, {fit.held_out:.4f} on stretches that the fit did "
        f"not see ({fit.after:.4f} on all); on the faces of its first training {fit.elsewhere:+.1%}"
    )

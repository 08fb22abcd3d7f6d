"""Batches for the compact network: varied crops with their targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..crop import CROP_SIZE
from ..light import network_input
from ..progress_bar import progress_bar
from . import compact, tongues
from .augment import Variations, vary, vary_gently
from .data import LabelledFace
from .landmarks import Landmarks
from .lip_points import MIRRORED, gaps, lip_cells
from .network import CompactPreset, Phase
from .occlusion import no_mouth
from .patches import Patches
from .teacher import teach

VARIATIONS = 12
"""Made of each face before training, then drawn from, mirrored or not: as good as new ones each time, for less."""

OCCLUSION = 0.13  # share of the variations with something before the face
CALM = 0.33  # share of the variations whose light and sharpness stay: most pictures at run time are good ones
TONGUES = 0.2  # share of the variations of open mouths with the tongue put out
NO_MOUTH = 0.03  # share of the crops that are no mouth at all
COVERED_FROM, DISTURBED_FROM = 0.35, 0.12
"""Share of the mouth under something from which its openness teaches nothing, and from which it counts less."""

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The targets of n faces.

    Attributes:
        patches: the mouths.
        landmarks: landmark models' points of them.
        openness: (n,) float32, the value to learn.
        trust: (n,) float32, its weight: 1 for people's label, 0 where the mouth is covered.
        taught: (n,) float32, the teacher's value, NaN where there is none.
    """

    patches: Patches
    landmarks: Landmarks
    openness: NDArray[np.float32]
    trust: NDArray[np.float32]
    taught: NDArray[np.float32]


def make_targets(
    patches: Patches,
    landmarks: Landmarks,
    chosen: CompactPreset,
    seed: int,
    second: NDArray[np.float32] | None = None,
) -> Targets:
    """Make the targets of training from the labels: people's where there are any, else the teacher's.

    The teacher's value has a lower weight than people's label. Where there are no landmarks at all, the landmark
    model's label takes its place, with a lower weight still; people's labels stay as they are then.

    A network that was trained before makes other errors than the teacher on faces without people's labels, so the mean
    of both errs less. Of people's faces it has learned the labels, and adds nothing.

    Args:
        patches: the faces.
        landmarks: of the same faces.
        chosen: the preset.
        seed: of the teacher's folds.
        second: (n,) what such a network reads; None: there is none.
    """
    faces, openness = patches.faces, patches.openness
    people = np.array([face.by_people for face in faces])
    covered = np.array([face.covered for face in faces])
    if landmarks.known.any():
        taught = np.where(covered, np.float32(np.nan), teach(faces, landmarks, seed))
        trust = np.where(np.isnan(taught), chosen.measured_trust, chosen.taught_trust)
        of_people, of_others = chosen.taught_share, 1.0
    else:
        taught = np.array([np.nan if face.measured is None else face.measured for face in faces], np.float32)
        trust = np.full(len(faces), chosen.measured_trust)
        of_people, of_others = 0.0, float(second is not None)
    if second is not None:
        taught = np.where(people | covered, taught, np.where(np.isnan(taught), second, (taught + second) / 2))
    share = np.where(people, of_people, of_others) * ~np.isnan(taught)
    mixed = (1 - share) * openness + share * np.nan_to_num(taught)
    trust = np.where(covered, 0, np.where(people, 1, trust))
    return Targets(patches, landmarks, mixed.astype(np.float32), trust.astype(np.float32), taught)


def frequencies(faces: Sequence[LabelledFace]) -> NDArray[np.float64]:
    """Return how often each face is drawn, adding up to 1: more often the rare people's labels and open mouths."""

    def often(face: LabelledFace) -> float:
        """Return the weight of a face among the others."""
        if face.covered:
            return 0.8
        if face.by_people:
            return 2 * (1 + face.openness)
        return (1 + face.openness) * (0.5 if face.openness < 0.3 else 1)

    weights = np.array([often(face) for face in faces])
    return weights / weights.sum()


class Pool:
    """Variations of all faces; about 130 kB a face."""

    def __init__(self, known: Targets, seed: int, count: int = VARIATIONS) -> None:
        """Make them; half a millisecond each.

        Args:
            known: the faces.
            seed: of the random generator.
            count: variations of each.
        """
        rng = np.random.default_rng(seed)
        self._made: list[Variations] = []
        everyone = np.arange(len(known.patches.images))
        for _ in progress_bar(range(count), "varying", "times"):
            self._made.append(vary(_with_tongues(known, everyone, rng), rng, OCCLUSION, CALM))

    def draw(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Variations:
        """Draw one variation of each of the rows; mirror half of them once more."""
        which: list[int] = rng.integers(0, len(self._made), len(rows)).tolist()
        indices: list[int] = rows.tolist()
        picked = [(self._made[k], i) for k, i in zip(which, indices, strict=True)]
        crops = np.stack([made.crops[i] for made, i in picked])
        matrices = np.stack([made.matrices[i] for made, i in picked])
        mirrored: NDArray[np.bool_] = np.array([made.mirrored[i] for made, i in picked], bool)
        covered: NDArray[np.float32] = np.array([made.covered[i] for made, i in picked], np.float32)
        flip = rng.random(len(rows)) < 0.5
        crops[flip] = crops[flip][:, :, ::-1]
        matrices[flip, 0] *= -1
        matrices[flip, 0, 2] += CROP_SIZE - 1
        return Variations(crops, matrices, mirrored ^ flip, covered)


def _with_tongues(known: Targets, rows: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Return the patches of these rows, some of the open mouths with the tongue put out."""
    images = [known.patches.images[i] for i in rows]
    fits = known.landmarks.known[rows] & (known.trust[rows] > 0) & (known.openness[rows] >= tongues.OPEN_FROM)
    for k in np.flatnonzero(fits & (rng.random(len(rows)) < TONGUES)):
        images[k] = tongues.put_out(images[k], known.landmarks.points[rows[k]], rng)
    return images


class Batches:
    """The batches of a training, each made from its step's number alone, so that several threads may make them."""

    def __init__(self, known: Targets, pool: Pool, size: int, seed: int) -> None:
        """Remember what they are made of.

        Args:
            known: the faces with their targets.
            pool: variations of the same faces.
            size: crops in a batch.
            seed: of the random generators.
        """
        self._known, self._pool, self._size, self._seed = known, pool, size, seed
        self._chances = frequencies(known.patches.faces)
        self._covered = np.array([face.covered for face in known.patches.faces])

    def make(self, step: int, phase: Phase) -> Batch:
        """Return the batch of a step.

        Returns:
            crops (size, 60, 60, 3) float32, RGB, 0..1; truth (size, OUTPUTS + LOSS_WEIGHTS) float32.
        """
        known, rng = self._known, np.random.default_rng((self._seed, step))
        rows = rng.choice(len(self._chances), self._size, p=self._chances)
        variations = self._pool.draw(rows, rng)
        _vary_some_gently(variations, known, rows, rng, phase.gentle)
        truth = np.zeros((self._size, compact.OUTPUTS + compact.LOSS_WEIGHTS), np.float32)
        truth[:, compact.OPENNESS] = known.openness[rows]
        truth[:, compact.TAUGHT] = np.nan_to_num(known.taught[rows])
        _place_points(truth, known.landmarks, rows, variations)
        truth[:, compact.OUTPUTS :] = _weights(known, rows, variations, self._covered[rows], phase.auxiliary)
        for i in np.flatnonzero(rng.random(self._size) < NO_MOUTH):
            variations.crops[i] = no_mouth(known.patches.images[rows[i]], rng)
            truth[i, compact.OUTPUTS :] = (0, 1, 0, 0, 1)
        return network_input(variations.crops), truth


def _vary_some_gently(
    variations: Variations, known: Targets, rows: NDArray[np.int64], rng: np.random.Generator, share: float
) -> None:
    """Replace a share of the variations by ones that hardly differ from what the program would cut."""
    chosen = np.flatnonzero(rng.random(len(rows)) < share)
    if not len(chosen):
        return
    made = vary_gently(_with_tongues(known, rows[chosen], rng), rng)
    variations.crops[chosen], variations.matrices[chosen] = made.crops, made.matrices
    variations.mirrored[chosen], variations.covered[chosen] = made.mirrored, made.covered


def _place_points(
    truth: NDArray[np.float32], landmarks: Landmarks, rows: NDArray[np.int64], variations: Variations
) -> None:
    """Write the points where they are in the varied crops, the gaps between the lips, and the lips' shapes."""
    linear, shift = variations.matrices[:, :, :2], variations.matrices[:, None, :, 2]
    points = np.einsum("nij,nkj->nki", linear, landmarks.points[rows]) + shift
    mirrored = variations.mirrored
    points[mirrored] = points[mirrored][:, MIRRORED]
    places = (points + 0.5) / CROP_SIZE - 0.5
    truth[:, compact.FIRST_POINT : compact.FIRST_GAP] = places.reshape(len(rows), -1)
    truth[:, compact.FIRST_GAP : compact.FIRST_CELL] = gaps(points) / compact.GAP_UNIT
    truth[:, compact.FIRST_CELL : compact.OUTPUTS] = lip_cells(points)


def _weights(
    known: Targets, rows: NDArray[np.int64], variations: Variations, masked: NDArray[np.bool_], auxiliary: float
) -> NDArray[np.float32]:
    """Return the truth's last columns, (n, LOSS_WEIGHTS): see :data:`compact.LOSS_WEIGHTS` and :class:`Phase`."""
    hidden = variations.covered > COVERED_FROM
    disturbed = (variations.covered > DISTURBED_FROM) & ~hidden
    trust = known.trust[rows]
    openness = trust * np.where(hidden, 0, np.where(disturbed, 0.4, 1))
    no_mouth_here = masked | hidden
    reliability = no_mouth_here | ((trust > 0) & ~disturbed)
    taught = auxiliary * (~np.isnan(known.taught[rows]) & ~no_mouth_here)
    landmarks = auxiliary * (known.landmarks.known[rows] & ~no_mouth_here)
    return np.stack([openness, reliability, taught, landmarks, no_mouth_here], axis=1).astype(np.float32)

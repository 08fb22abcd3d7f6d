"""Detect faces on the GPU, and verify them: all passes over many pictures in few batches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import log

import numpy as np
from numpy.typing import NDArray

from ..blazeface import INPUT_SIZE, decode
from ..face import Face
from ..face_check import CHECK_REGIONS, CHECK_SIZE, with_scores
from ..faces import MIN_SCORE
from ..rolls import turned_back
from ..weights_file import DETECTOR, FACE_CHECK, load_weights
from .backend import Tensor, compiled, ops, to_host
from .frames import FrameBatch
from .light import network_input
from .network import GpuNetwork
from .passes import DetectorPass, Lines, lines_of, padded_lines
from .warp import padded_faces, warp_of
from .windows import inputs

BATCHES = (1, 8, 32, 64)  # passes: each new size is compiled


class GpuFinder:
    """Detects and verifies faces in batches of pictures.

    Not safe for use by several threads at once; make one for each.
    """

    def __init__(self, min_score: float = MIN_SCORE) -> None:
        """Read the weights; each size of batch is compiled when it is first needed.

        Args:
            min_score: faces below this score (between 0 and 1) are not returned.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        self._min_logit = log(min_score / (1 - min_score))
        self._detector = compiled(GpuNetwork(load_weights(DETECTOR, "detection")))
        self._check = compiled(partial(_log_odds, GpuNetwork(load_weights(FACE_CHECK, "face-check"))))

    def detect(self, batch: FrameBatch, passes: Sequence[DetectorPass]) -> list[list[Face]]:
        """Detect the faces in each pass.

        Args:
            batch: the pictures.
            passes: what is searched.

        Returns:
            For each pass its faces, best score first, in pixels of the picture, turned back; also those that the area's
            edge cuts.

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory for so many pictures at a time.
        """
        lines = [lines_of(one, batch.width, batch.height) for one in passes]
        # All are started before the first is waited for: the GPU works on while the host decodes.
        started = [(numbers, self._start(batch, passes, lines, numbers)) for numbers in _grouped(lines)]
        faces: list[list[Face]] = [[] for _ in passes]
        for numbers, outputs in started:
            first, second = (to_host(output) for output in outputs)
            raw, logits = (first, second) if first.shape[-1] > second.shape[-1] else (second, first)
            for number, boxes, scores in zip(numbers, raw, logits[..., 0], strict=False):
                faces[number] = self._faces(passes[number], boxes, scores)
        return faces

    def _start(
        self,
        batch: FrameBatch,
        passes: Sequence[DetectorPass],
        lines: Sequence[tuple[Lines, Lines]],
        numbers: Sequence[int],
    ) -> tuple[Tensor, Tensor]:
        """Start the network on some passes, filled up to a fixed size by repeating the last."""
        size = next(size for size in BATCHES if size >= len(numbers))
        numbers = [*numbers, *[numbers[-1]] * (size - len(numbers))]
        pictures = inputs(
            batch.pictures,
            np.array([passes[number].frame for number in numbers], np.int32),
            *padded_lines([lines[number] for number in numbers]),
            np.array([passes[number].quarters % 2 == 1 for number in numbers]),
            np.array([passes[number].grey for number in numbers]),
        )
        return self._detector(pictures)

    def _faces(self, one: DetectorPass, raw: NDArray[np.float32], logits: NDArray[np.float32]) -> list[Face]:
        area = one.area
        return [
            _shifted(turned_back(face, one.quarters, area.width, area.height), area.left, area.top)
            for face in decode(raw, logits, self._min_logit, INPUT_SIZE, one.scale, one.corner)
        ]

    def evidence(self, batch: FrameBatch, faces: Sequence[tuple[int, Face]]) -> NDArray[np.float32]:
        """Return the evidence for each detection, as :meth:`mouth_live.models.face_check.FaceCheck.evidence` does.

        Args:
            batch: the pictures.
            faces: (number of the picture, face).

        Returns:
            (n,) float32, the sum of the detector's log odds, weighted, and the check's.

        Raises:
            OutOfDeviceMemoryError: the GPU has too little memory.
        """
        parts = [
            self._check(batch.crops(warp_of(part, CHECK_REGIONS, CHECK_SIZE, batch.height, batch.width), CHECK_SIZE))
            for part in padded_faces(faces)
        ]
        if not parts:
            return np.zeros(0, np.float32)
        log_odds = np.concatenate([to_host(part) for part in parts])[: len(faces)]
        return with_scores(log_odds, [face for _, face in faces])


def _grouped(lines: Sequence[tuple[Lines, Lines]]) -> Iterator[Sequence[int]]:
    """Yield the numbers of the passes that run in one batch: those that average equally many lines."""
    groups: dict[int, list[int]] = {}
    for number, axes in enumerate(lines):
        groups.setdefault(max(axis.weights.shape[1] for axis in axes), []).append(number)
    for numbers in groups.values():
        for start in range(0, len(numbers), BATCHES[-1]):
            yield numbers[start : start + BATCHES[-1]]


def _log_odds(check: GpuNetwork, crops: Tensor) -> Tensor:
    """Return the check's log odds (n,), the mean over the regions, mirrored too, of crops (regions * n, 48, 48, 3)."""
    k = ops()
    pictures = network_input(crops)
    (probabilities,) = check(k.concatenate([pictures, k.flip(pictures, axis=2)], axis=0))
    p = k.clip(probabilities[:, 0], 1e-6, 1 - 1e-6)
    return k.mean(k.reshape(k.log(p / (1 - p)), (2 * len(CHECK_REGIONS), -1)), axis=0)


def _shifted(face: Face, right: float, down: float) -> Face:
    x, y, width, height = face.box
    points = face.keypoints + np.array([right, down], np.float32)
    return replace(face, box=(x + right, y + down, width, height), keypoints=points)

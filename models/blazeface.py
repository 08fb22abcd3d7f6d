"""The face detector: BlazeFace full range (sparse) in LiteRT, with our own decoding of its output.

Source: Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"; the constants are
those of the graph options in mediapipe 0.10.21 (Apache-2.0), from which the model file comes.
"""

from math import log

import cv2
import numpy as np
from numpy.typing import NDArray

from .face import Face
from .weights_file import LiteRtNetwork, load_weights

INPUT_SIZE = 192  # the network looks at 192x192 RGB in -1..1, letterboxed
GRID = 48  # one anchor in the middle of each of 48x48 cells
LOGIT_LIMIT = 100.0  # logits are clipped to +-100 before the sigmoid
SUPPRESSION_IOU = 0.3  # boxes that overlap more than this are one face
KEYPOINTS = 6
EXACT = 640 * 480  # pixels of a picture up to which it is scaled in one exact step


class BlazeFace:
    """Full-range BlazeFace on the CPU."""

    def __init__(self, min_score: float = 0.5, threads: int = 1) -> None:
        """Load the network.

        Args:
            min_score: faces below this score (between 0 and 1) are not returned.
            threads: CPU threads for one look.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        self._network = LiteRtNetwork(load_weights("face_detection_full_range_sparse", "detection"), threads)
        self._min_logit = log(min_score / (1 - min_score))
        cells = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
        self._anchors = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """Find the faces in one look at the whole picture.

        Args:
            image: (h, w, 3) uint8, BGR.

        Returns:
            The faces, best score first.
        """
        tensor, scale, offset = letterbox(image)
        raw, logits = self._outputs(tensor)
        chosen = np.flatnonzero(logits >= self._min_logit)
        if not len(chosen):
            return []
        scores = (1 / (1 + np.exp(-np.minimum(logits[chosen], LOGIT_LIMIT)))).astype(np.float32)
        points = raw[chosen].reshape(-1, 2 + KEYPOINTS, 2) / np.float32(INPUT_SIZE)
        points[:, [0, *range(2, 2 + KEYPOINTS)]] += self._anchors[chosen, None]  # all but the size are from the anchor
        faces = _suppress(points, scores)
        return [_to_face(face, score, scale, offset) for face, score in faces]

    def _outputs(self, tensor: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raw boxes (2304, 16) and logits (2304,), whichever order the file has them in."""
        first, second = self._network(tensor)
        boxes, logits = (first, second) if first.shape[-1] > second.shape[-1] else (second, first)
        return boxes[0], logits[0, :, 0]


def letterbox(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float, NDArray[np.float32]]:
    """Shrink a picture into the middle of the network's square input.

    Args:
        image: (h, w, 3) uint8, BGR.

    Returns:
        the input (1, 192, 192, 3) float32, RGB, -1..1, black bars at the sides; the side in pixels of the picture that
        the square covers; and the picture's (x, y) of the square's top-left corner, (2,) float32.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    new_width, new_height = max(1, round(width * INPUT_SIZE / side)), max(1, round(height * INPUT_SIZE / side))
    small = _scaled(image, new_width, new_height)
    left, top = (INPUT_SIZE - new_width) // 2, (INPUT_SIZE - new_height) // 2
    square = np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    cv2.cvtColor(small, cv2.COLOR_BGR2RGB, dst=square[top : top + new_height, left : left + new_width])
    tensor = square.astype(np.float32)[None] / np.float32(127.5) - np.float32(1)
    return tensor, float(side), np.array([-left, -top], np.float32) * side / INPUT_SIZE


def _scaled(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The picture at another size, averaged where it shrinks: or small faces would flicker.

    Of large pictures bilinear steps of at most 2 average all pixels too, in a fifth of the time of INTER_AREA.
    """
    if image.shape[0] * image.shape[1] > EXACT:
        while image.shape[1] >= 4 * width and image.shape[0] >= 4 * height:
            image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2)).astype(np.uint8, copy=False)
        if image.shape[1] > 2 * width and image.shape[0] > 2 * height:
            image = cv2.resize(image, (2 * width, 2 * height)).astype(np.uint8, copy=False)
    method = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)


def _suppress(points: NDArray[np.float32], scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], float]]:
    """Weighted non-maximum suppression: of each heap of overlapping boxes the score-weighted mean.

    Args:
        points: (n, 8, 2): centre, size, six key points, in parts of the input square.
        scores: (n,).

    Returns:
        (points (8, 2), best score) for each face, the best first.
    """
    order = np.argsort(-scores)
    points, scores = points[order], scores[order]
    low, high = points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2
    area = np.prod(points[:, 1], axis=1)
    left = np.ones(len(scores), bool)
    faces: list[tuple[NDArray[np.float32], float]] = []
    for i in range(len(scores)):
        if not left[i]:
            continue
        overlap = np.prod(np.clip(np.minimum(high, high[i]) - np.maximum(low, low[i]), 0, None), axis=1)
        heap = left & (overlap > SUPPRESSION_IOU * (area + area[i] - overlap))
        heap[i] = True
        left &= ~heap
        weights = scores[heap] / scores[heap].sum()
        faces.append(((weights[:, None, None] * points[heap]).sum(axis=0), float(scores[i])))
    return faces


def _to_face(points: NDArray[np.float32], score: float, side: float, offset: NDArray[np.float32]) -> Face:
    """From parts of the input square to pixels of the picture."""
    centre, size = points[0] * side + offset, points[1] * side
    x, y = centre - size / 2
    box = (float(x), float(y), float(size[0]), float(size[1]))
    return Face(box, (points[2:] * np.float32(side) + offset).astype(np.float32), score)

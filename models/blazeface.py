"""The face detector: BlazeFace full range (sparse) in LiteRT, with our own decoding of its output.

The network is made for 192x192 pixels but runs on any size. Where only a part of the picture matters, it gets a window
of it at the same scale, for a quarter to a half of the work. It finds the same faces there. Their key points differ by
some 1 % of a face's width, which is enough to show in the openness.

Source: Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"; the constants are
those of the graph options in mediapipe 0.10.21 (Apache-2.0), from which the model file comes.
"""

from dataclasses import dataclass
from math import log

import cv2
import numpy as np
from numpy.typing import NDArray

from .face import SURE_SCORE, Face
from .light import well_lit
from .rectangle import Rectangle
from .tiles import is_cut
from .weights_file import DETECTOR, LiteRtNetwork, load_weights

INPUT_SIZE = 192  # the network's input is 192x192 RGB in -1..1, letterboxed
STRIDE = 4  # pixels of it from one anchor to the next; they lie in the middle of each cell
WINDOW_SIZES = (96, 128)  # pixels a side of the input where the rest of the picture does not matter
LOGIT_LIMIT = 100.0  # logits are clipped to +-100 before the sigmoid
SUPPRESSION_IOU = 0.3  # boxes that overlap more than this are one face
KEYPOINTS = 6
EXACT = 640 * 480  # pixels of a picture up to which it is scaled in one exact step


@dataclass(frozen=True, slots=True)
class InputWindow:
    """A part of a picture as the network gets it.

    Attributes:
        part: (h, w, 3) uint8, BGR: the part, in the picture's own pixels.
        left: of the part in the picture, in pixels.
        top: of the part in the picture.
        scale: picture pixels per pixel of the input.
        size: (height, width) of the input.
        exact: whether it is shrunk in one exact step.
    """

    part: NDArray[np.uint8]
    left: int
    top: int
    scale: float
    size: tuple[int, int]
    exact: bool


class BlazeFace:
    """Full-range BlazeFace on the CPU."""

    def __init__(self, min_score: float = 0.5, threads: int = 1) -> None:
        """Read the weights; each size of input has a network of its own, started when it is first needed.

        Args:
            min_score: faces below this score (between 0 and 1) are not returned.
            threads: CPU threads for one pass.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        self._weights = load_weights(DETECTOR, "detection")
        self._threads = threads
        self._networks: dict[tuple[int, int], LiteRtNetwork] = {}
        self._min_logit = log(min_score / (1 - min_score))

    def detect(self, image: NDArray[np.uint8], exact: bool | None = None) -> list[Face]:
        """Detect the faces in one pass over the whole picture.

        Args:
            image: (h, w, 3) uint8, BGR.
            exact: whether it is shrunk in one exact step; None: if it is small.

        Returns:
            The faces, best score first.
        """
        height, width = image.shape[:2]
        scale, size = max(height, width) / INPUT_SIZE, (INPUT_SIZE, INPUT_SIZE)
        return self._detect(InputWindow(image, 0, 0, scale, size, height * width <= EXACT if exact is None else exact))

    def detect_in(self, image: NDArray[np.uint8], area: Rectangle) -> list[Face] | None:
        """Detect the faces in a part of the picture, at the scale that they have in :meth:`detect`.

        Args:
            image: (h, w, 3) uint8, BGR.
            area: the part; the window around it, of one of :data:`WINDOW_SIZES`, is searched.

        Returns:
            The faces that lie whole in the window, best score first; None where no window is large enough.
        """
        view = _window(image, area)
        if view is None:
            return None
        height, width = view.part.shape[:2]
        seen = Rectangle(view.left, view.top, width, height)
        return [face for face in self._detect(view) if not is_cut(face, seen, image.shape[1], image.shape[0])]

    def _detect(self, view: InputWindow) -> list[Face]:
        tensor, offset = window_input(view)
        raw, logits = self._outputs(tensor)
        return decode(raw, logits, self._min_logit, view.size[1], view.scale, offset)

    def _outputs(self, tensor: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network.

        Returns:
            Raw boxes (n, 16) in pixels of the input, and logits (n,), whichever order the file has them in.
        """
        size = (tensor.shape[1], tensor.shape[2])
        if size not in self._networks:
            self._networks[size] = LiteRtNetwork(self._weights, self._threads, size)
        first, second = self._networks[size](tensor)
        boxes, logits = (first, second) if first.shape[-1] > second.shape[-1] else (second, first)
        return boxes[0], logits[0, :, 0]


def decode(
    raw: NDArray[np.float32],
    logits: NDArray[np.float32],
    min_logit: float,
    width: int,
    scale: float,
    offset: NDArray[np.float32],
) -> list[Face]:
    """Make faces of the network's output for one picture.

    Args:
        raw: (n, 16) float32: boxes and key points from their anchors, in pixels of the input.
        logits: (n,) float32.
        min_logit: detections below it are left out.
        width: of the input, in pixels.
        scale: picture pixels per pixel of the input.
        offset: (2,) float32: (x, y) in the picture of the input's top-left corner.

    Returns:
        The faces, best score first, in pixels of the picture.
    """
    chosen = np.flatnonzero(logits >= min_logit)
    if not len(chosen):
        return []
    scores = (1 / (1 + np.exp(-np.minimum(logits[chosen], LOGIT_LIMIT)))).astype(np.float32)
    rows, columns = np.divmod(chosen, width // STRIDE)
    anchors = (np.stack([columns, rows], axis=1).astype(np.float32) + np.float32(0.5)) * np.float32(STRIDE)
    points = raw[chosen].reshape(-1, 2 + KEYPOINTS, 2)
    sizes = points[:, 1].copy()
    points += anchors[:, None]  # all but the size are from the anchor
    points[:, 1] = sizes
    return [_to_face(face, score, scale, offset) for face, score in _suppress(points, scores)]


def _window(image: NDArray[np.uint8], area: Rectangle) -> InputWindow | None:
    """Return a square around an area, moved into the picture where it reaches over an edge; None: none is so large."""
    height, width = image.shape[:2]
    scale = max(height, width) / INPUT_SIZE
    needed = max(area.width, area.height) / scale
    window = next((window for window in WINDOW_SIZES if needed <= window), None)
    if window is None:
        return None
    side = round(window * scale)
    left = max(0, min(area.left + (area.width - side) // 2, width - side))
    top = max(0, min(area.top + (area.height - side) // 2, height - side))
    part = image[top : top + side, left : left + side]
    return InputWindow(part, left, top, scale, (window, window), height * width <= EXACT)


def window_input(view: InputWindow) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make the network's input of a part of a picture: shrunk, well lit, in the middle, black around it.

    Returns:
        The input (1, height, width, 3) float32, RGB, -1..1; and the picture's (x, y), in pixels, of its top-left
        corner, (2,) float32.
    """
    (rows, columns), (height, width) = view.size, view.part.shape[:2]
    new_width, new_height = (min(most, max(1, round(n / view.scale))) for n, most in ((width, columns), (height, rows)))
    small = _scaled(view.part, new_width, new_height, view.exact)
    left, top = (columns - new_width) // 2, (rows - new_height) // 2
    canvas = np.zeros((1, rows, columns, 3), np.uint8)
    rgb = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    canvas[0, top : top + new_height, left : left + new_width] = well_lit(rgb)
    tensor = np.divide(canvas, np.float32(127.5), dtype=np.float32)
    tensor -= np.float32(1)
    corner = (view.left - left * view.scale, view.top - top * view.scale)
    return tensor, np.array(corner, np.float32)


def _scaled(image: NDArray[np.uint8], width: int, height: int, exact: bool) -> NDArray[np.uint8]:
    """Resize a picture, averaged where it shrinks: or small faces would flicker."""
    *halvings, _ = steps(image.shape[1], image.shape[0], width, height, exact)
    for size in halvings:
        image = cv2.resize(image, size).astype(np.uint8, copy=False)
    method = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)


def steps(width: int, height: int, to_width: int, to_height: int, exact: bool) -> list[tuple[int, int]]:
    """Return the (width, height) after each step in which a picture is resized.

    Of large pictures bilinear steps of at most 2 average all pixels too, in a fifth of the time of INTER_AREA. The last
    step, which is the only one of an exact resize, is by INTER_AREA where it shrinks.
    """
    sizes: list[tuple[int, int]] = []
    if not exact:
        while width >= 4 * to_width and height >= 4 * to_height:
            width, height = width // 2, height // 2
            sizes.append((width, height))
        if width > 2 * to_width and height > 2 * to_height:
            sizes.append((2 * to_width, 2 * to_height))
    return [*sizes, (to_width, to_height)]


def _suppress(points: NDArray[np.float32], scores: NDArray[np.float32]) -> list[tuple[NDArray[np.float32], float]]:
    """Merge overlapping detections: weighted non-maximum suppression, the score-weighted mean of each cluster.

    Weak detections are less exact, so they take part in the mean only where the whole cluster is weak.

    Args:
        points: (n, 8, 2): centre, size, six key points, in pixels of the input.
        scores: (n,).

    Returns:
        (points (8, 2), best score) for each face, the best first.
    """
    order = np.argsort(-scores)
    points, scores = points[order], scores[order]
    low, high = points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2
    area = points[:, 1, 0] * points[:, 1, 1]
    left = np.ones(len(scores), bool)
    faces: list[tuple[NDArray[np.float32], float]] = []
    for i in range(len(scores)):
        if not left[i]:
            continue
        common = np.maximum(np.minimum(high, high[i]) - np.maximum(low, low[i]), 0)
        overlap = common[:, 0] * common[:, 1]
        cluster = left & (overlap > SUPPRESSION_IOU * (area + area[i] - overlap))
        cluster[i] = True
        left &= ~cluster
        blended = cluster & ((scores >= SURE_SCORE) | (scores[i] < SURE_SCORE))
        weights = scores[blended] / scores[blended].sum()
        faces.append(((weights[:, None, None] * points[blended]).sum(axis=0), float(scores[i])))
    return faces


def _to_face(points: NDArray[np.float32], score: float, scale: float, offset: NDArray[np.float32]) -> Face:
    """Convert a detection from pixels of the input to those of the picture."""
    centre, size = points[0] * scale + offset, points[1] * scale
    x, y = centre - size / 2
    box = (float(x), float(y), float(size[0]), float(size[1]))
    return Face(box, (points[2:] * np.float32(scale) + offset).astype(np.float32), score)

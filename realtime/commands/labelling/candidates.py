"""The frames of a video that are worth a label: far apart in time and in openness, so that few of them suffice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ....models.errors import SourceError
from ....models.face import LEFT_EYE, RIGHT_EYE
from ...records import Analysis
from ...session import open_session
from ...settings import AnalysisSettings
from ...sinks.progress import Progress
from ...sinks.sink import Sink

MAX_FRAMES = 1500  # of a video that are analysed, evenly spread
VIEW_SIZE = 480  # pixels: the side of the square picture of a face
VIEW_EYE_DISTANCES = 2.4  # the side of that picture, in distances between the eyes
EYE_HEIGHT, MOUTH_HEIGHT = 0.18, 0.62  # of the eyes and, approximately, of the mouth: share of the side, from the top
JPEG_QUALITY = 92  # the views are compressed, because thousands of them are kept in memory


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A face in a frame that could be labelled.

    Attributes:
        frame: the index of the decoded frame.
        time: the frame's time, in seconds since the first frame.
        box: the (x, y, width, height) of the face, in pixels of the frame.
        openness: the network's reading, 0..1. It is not shown, because it would bias the labeller.
        view: the face from the brows to below the chin, level, as a JPEG of ``VIEW_SIZE`` pixels a side.
        eyes: the distance between the eye centres in the view, in pixels.
    """

    frame: int
    time: float
    box: tuple[float, float, float, float]
    openness: float
    view: bytes
    eyes: float


def find_candidates(video: Path, settings: AnalysisSettings) -> list[Candidate]:
    """Return the largest face of each of up to ``MAX_FRAMES`` frames, evenly spread.

    Raises:
        SourceError: the video cannot be read, or no face is found in it.
    """
    with open_session(video, settings, max_frames=MAX_FRAMES) as session:
        candidates = _Candidates()
        session.run([candidates, Progress("searching for faces", session.frame_count)])
    if not candidates.found:
        raise SourceError(f"{video}: no face was found in it, so there is nothing to label")
    return candidates.found


class _Candidates(Sink):
    """Collect the largest face of each frame.

    Attributes:
        found: one candidate for each frame with a face.
    """

    def __init__(self) -> None:
        self.found: list[Candidate] = []

    def write(self, analysis: Analysis) -> None:
        """Collect the largest face of one frame."""
        largest = max(analysis.readings, key=lambda r: r.face.box[2] * r.face.box[3], default=None)
        if largest is None:
            return
        frame, face = analysis.frame, largest.face
        view, eyes = _view(frame.image, face.keypoints)
        self.found.append(Candidate(frame.index, frame.time, face.box, largest.raw, view, eyes))


def spread_out(candidates: Sequence[Candidate], count: int, taken: Sequence[int] = ()) -> list[Candidate]:
    """Choose candidates that are far apart in time and in openness, the most informative first.

    Each next candidate is the one whose distance to the nearest chosen one is the largest. The distance is measured in
    time, as a share of the video's duration, and openness. So the rare wide-open mouths are among the first, and the
    user may stop at any time. Source: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance".

    Args:
        candidates: the candidates, at least one.
        count: the most candidates to choose.
        taken: the frames that are labelled already.

    Returns:
        At most ``count`` candidates, none of a frame in ``taken``.
    """
    times = np.array([c.time for c in candidates])
    length = max(float(np.ptp(times)), 1e-9)
    places = np.stack([(times - times.min()) / length, [c.openness for c in candidates]], axis=1)
    far = np.full(len(candidates), np.inf)
    free = np.ones(len(candidates), bool)
    for i, candidate in enumerate(candidates):
        if candidate.frame in taken:
            far = np.minimum(far, np.linalg.norm(places - places[i], axis=1))
            free[i] = False
    chosen: list[Candidate] = []
    while len(chosen) < count and free.any():
        # The first one is the most open one, because no distances exist yet.
        best = int(np.argmax(np.where(free, far if np.isfinite(far).all() else places[:, 1], -np.inf)))
        chosen.append(candidates[best])
        far = np.minimum(far, np.linalg.norm(places - places[best], axis=1))
        free[best] = False
    return chosen


def _view(image: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> tuple[bytes, float]:
    """Return the face from the brows to below the chin, level, as a JPEG, and the distance of its eyes in pixels."""
    right, left = keypoints[RIGHT_EYE].astype(np.float64), keypoints[LEFT_EYE].astype(np.float64)
    across = left - right
    distance = max(float(np.hypot(*across)), 1e-6)
    scale = VIEW_SIZE / (VIEW_EYE_DISTANCES * distance)
    cosine, sine = scale * across / distance
    turn = np.array([[cosine, sine], [-sine, cosine]])
    middle = np.array([VIEW_SIZE / 2, VIEW_SIZE * EYE_HEIGHT])  # the place in the view of the point between the eyes
    shift = middle - turn @ ((right + left) / 2)
    matrix = np.concatenate([turn, shift[:, None]], axis=1)
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    view = cv2.warpAffine(image, matrix, (VIEW_SIZE, VIEW_SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes(), scale * distance

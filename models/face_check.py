"""The face check: a small network that verifies a detection from the aligned face.

It was trained on faces and on false positives of the detector.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .crop import WHOLE_FACE, Region, crop_faces
from .face import SURE_SCORE, Face
from .light import network_input
from .weights_file import FACE_CHECK, LiteRtNetwork, load_weights

CHECK_SIZE = 48
CHECK_REGIONS = (WHOLE_FACE, Region(-0.08, -0.08, 1.08, 1.08), Region(0.06, 0.06, 0.94, 0.94))
"""The check reads the face in three sizes, and each of them mirrored: a true face stays one in all of them."""

SCORE_WEIGHT = 2.0
"""How often the detector's log odds count: where it is sure the check may doubt, as it does of some profiles."""

WEAK_COST = 2.1
"""Log odds by which the check must be surer of a detection below SURE_SCORE: few of them are faces."""

MIN_EVIDENCE = 2.5  # sum of the detector's weighted and the check's log odds


class FaceCheck:
    """Verifies detections in a still picture.

    Not safe for use by several threads at once; make one for each.
    """

    def __init__(self, threads: int = 1) -> None:
        """Load the network.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        self._network = LiteRtNetwork(load_weights(FACE_CHECK, "face-check"), threads)

    def evidence(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Return the evidence for each detection: it is a face from :data:`MIN_EVIDENCE` on.

        Args:
            image: (h, w, 3) uint8, BGR.
            faces: the faces detected in it.

        Returns:
            (n,) float32, the sum of the detector's log odds, weighted, and the check's.
        """
        if not faces:
            return np.zeros(0, np.float32)
        return with_scores(self._log_odds(image, faces), faces)

    def _log_odds(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Return the check's own log odds for each detection, averaged over the views."""
        pictures = network_input(np.concatenate([crop_faces(image, faces, view, CHECK_SIZE) for view in CHECK_REGIONS]))
        (probabilities,) = self._network(np.concatenate([pictures, pictures[:, :, ::-1]]))
        return _logit(probabilities[:, 0]).reshape(2 * len(CHECK_REGIONS), len(faces)).mean(axis=0)


def with_scores(log_odds: NDArray[np.float32], faces: Sequence[Face]) -> NDArray[np.float32]:
    """Return the evidence (n,) for detections, from the check's log odds (n,) and the detector's scores."""
    scores = np.array([face.score for face in faces], np.float32)
    return np.add(log_odds, SCORE_WEIGHT * _logit(scores) - WEAK_COST * (scores < SURE_SCORE), dtype=np.float32)


def _logit(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log odds, kept finite."""
    p = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))

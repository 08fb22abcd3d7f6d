"""The check that a claimed face is one: a small network that looks at the aligned face, trained on inventions too."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .crop import WHOLE_FACE, crop_faces
from .face import Face
from .weights_file import LiteRtNetwork, load_weights

CHECK_SIZE = 48
MIN_PROBABILITY = 0.5


class FaceCheck:
    """Tells faces from what the detector took for one; works on a still picture.

    Not safe for use by several threads at once; make one for each.
    """

    def __init__(self, threads: int = 1) -> None:
        """Load the network.

        Raises:
            ModelError: the weights are missing or damaged.
        """
        self._network = LiteRtNetwork(load_weights("face_check", "face-check"), threads)

    def are_faces(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.bool_]:
        """Whether each claimed face is one.

        Args:
            image: (h, w, 3) uint8, BGR.
            faces: the faces claimed in it.

        Returns:
            (n,) bool.
        """
        if not faces:
            return np.zeros(0, bool)
        crops = crop_faces(image, faces, WHOLE_FACE, CHECK_SIZE)
        (probabilities,) = self._network(crops.astype(np.float32) / np.float32(255))
        return probabilities[:, 0] >= MIN_PROBABILITY

"""What a face looks like, as 128 numbers: two faces of one person lie close together, those of two people apart.

The network is dlib's ResNet (D. King 2017, "High Quality Face Recognition with Deep Metric Learning"). The extra
``[people]`` brings it: ``dlib-bin`` has the program (Boost licence), ``face_recognition_models`` the weights (CC0).
"""

import hashlib
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .crop import Region, crop_faces
from .errors import MissingExtraError, ModelError
from .face import Face

EMBEDDING_SIZE = 128

_PACKAGE, _WEIGHTS = "face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"
_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
# The network was trained on faces that dlib had aligned; this cuts the eyes and the nose out at about the same place.
_REGION, _SIZE = Region(0.143, 0.248, 0.857, 0.962), 150


def find_weights() -> Path:
    """Return the path of the weights; nothing is loaded.

    Raises:
        MissingExtraError: dlib or the weights are not installed.
    """
    # Their package is not imported: it needs pkg_resources, which new versions of setuptools lack.
    package = find_spec(_PACKAGE)
    if find_spec("dlib") is None or package is None or not package.submodule_search_locations:
        raise MissingExtraError("--merge-ids", "people")
    return Path(package.submodule_search_locations[0], _WEIGHTS)


class FaceEmbedder:
    """Tells how alike faces are. Not safe for use by several threads at once."""

    def __init__(self) -> None:
        """Load the network, 22 MB.

        Raises:
            MissingExtraError: dlib or the weights are not installed.
            ModelError: the weights are not those that this program was measured with.
        """
        weights = find_weights()
        dlib: Any = import_module("dlib")
        try:
            digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{weights}: cannot read it ({error.strerror}); reinstall {_PACKAGE}") from None
        if digest != _SHA256:
            raise ModelError(f"{weights}: other weights than expected, or damaged; reinstall {_PACKAGE}")
        self._network: Any = dlib.face_recognition_model_v1(str(weights))

    def embed(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> NDArray[np.float32]:
        """Return the embedding of each face.

        Args:
            image: (h, w, 3) uint8, BGR.
            faces: faces in it.

        Returns:
            (n, 128) float32. The Euclidean distance of two faces of one person is mostly below 0.55, of two people
            mostly above 0.6.
        """
        chips = crop_faces(image, faces, _REGION, _SIZE)
        return np.array([self._network.compute_face_descriptor(chip) for chip in chips], np.float32).reshape(
            -1, EMBEDDING_SIZE
        )

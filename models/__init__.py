"""Pictures in, mouth openness out: find faces, crop them, read them.

Public names load on first use (PEP 562), so that importing the package stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .crop import crop_faces
    from .errors import DataError, DeviceError, MissingExtraError, ModelError, MouthLiveError
    from .face import Face
    from .faces import FaceFinder
    from .openness import Estimates, OpennessModel, load_openness_model

__all__ = [
    "DataError",
    "DeviceError",
    "Estimates",
    "Face",
    "FaceFinder",
    "MissingExtraError",
    "ModelError",
    "MouthLiveError",
    "OpennessModel",
    "crop_faces",
    "load_openness_model",
]

_HOMES = {
    "crop": ["crop_faces"],
    "errors": ["DataError", "DeviceError", "MissingExtraError", "ModelError", "MouthLiveError"],
    "face": ["Face"],
    "faces": ["FaceFinder"],
    "openness": ["Estimates", "OpennessModel", "load_openness_model"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first used."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Pictures in, mouth openness out: find faces, crop them, read them.

The public names load on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .crop import crop_faces
    from .errors import DataError, DeviceError, MissingExtraError, ModelError, MouthLiveError
    from .face import Face
    from .faces import FaceFinder
    from .openness import Estimates, OpennessModel, load_openness_model

    __version__: str
else:
    from .lazy_names import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            ".crop": ["crop_faces"],
            ".errors": ["DataError", "DeviceError", "MissingExtraError", "ModelError", "MouthLiveError"],
            ".face": ["Face"],
            ".faces": ["FaceFinder"],
            ".openness": ["Estimates", "OpennessModel", "load_openness_model"],
        },
    )

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

"""Mouth openness from 0 to 1 for every face, in live or recorded video.

This package is the folder ``models/root_package``, installed as ``mouth_live``. Its public names are those of its two
halves: :mod:`mouth_live.models` (pictures in, openness out) and :mod:`mouth_live.realtime` (video in, readings and
events out). They load on first use.
"""

from typing import TYPE_CHECKING

from . import models, realtime

__all__: list[str] = []
__all__ += models.__all__
__all__ += realtime.__all__

if TYPE_CHECKING:
    from .models import *  # noqa: F403
    from .realtime import *  # noqa: F403

    __version__: str
else:
    from .models.lazy_names import lazy

    __getattr__, __dir__ = lazy(__name__, {".models": models.__all__, ".realtime": realtime.__all__})

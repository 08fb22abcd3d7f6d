"""Video in, readings and events out: sources, tracking, smoothing, triggers, sinks and the command line.

Public names load on first use (PEP 562), so that importing the package stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models.errors import SinkError, SourceError, UsageError
    from .lips.activity import LipActivity
    from .lips.event_stream import lip_events, watch_lips
    from .lips.face_choice import FaceChoice
    from .lips.limits import Limits, preset
    from .pipeline import Pipeline, analyze
    from .records import Analysis, Frame, LipEvent, Reading

__all__ = [
    "Analysis",
    "FaceChoice",
    "Frame",
    "Limits",
    "LipActivity",
    "LipEvent",
    "Pipeline",
    "Reading",
    "SinkError",
    "SourceError",
    "UsageError",
    "analyze",
    "lip_events",
    "preset",
    "watch_lips",
]

_HOMES = {
    "..models.errors": ["SinkError", "SourceError", "UsageError"],
    ".lips.activity": ["LipActivity"],
    ".lips.event_stream": ["lip_events", "watch_lips"],
    ".lips.face_choice": ["FaceChoice"],
    ".lips.limits": ["Limits", "preset"],
    ".pipeline": ["Pipeline", "analyze"],
    ".records": ["Analysis", "Frame", "LipEvent", "Reading"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

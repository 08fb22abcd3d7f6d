"""Video in, readings and events out: sources, tracking, smoothing, triggers, sinks and the command line.

Public names load on first use (PEP 562), so that importing the package stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import SinkError, SourceError, UsageError
    from .face_choice import FaceChoice
    from .limits import Limits, preset
    from .pipeline import Pipeline, analyze
    from .records import Analysis, Frame, LipEvent, Reading
    from .running_events import lip_events, watch_lips
    from .triggers import LipActivity

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
    "errors": ["SinkError", "SourceError", "UsageError"],
    "face_choice": ["FaceChoice"],
    "limits": ["Limits", "preset"],
    "pipeline": ["Pipeline", "analyze"],
    "records": ["Analysis", "Frame", "LipEvent", "Reading"],
    "running_events": ["lip_events", "watch_lips"],
    "triggers": ["LipActivity"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

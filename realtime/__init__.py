"""Video in, readings and events out: sources, tracking, smoothing, triggers, sinks and the command line.

Public names load on first use (PEP 562), so that importing the package stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import SinkError, SourceError, UsageError
    from .pipeline import Pipeline, analyze
    from .records import Analysis, Frame, LipEvent, Reading
    from .running_events import lip_events, watch_lips

__all__ = [
    "Analysis",
    "Frame",
    "LipEvent",
    "Pipeline",
    "Reading",
    "SinkError",
    "SourceError",
    "UsageError",
    "analyze",
    "lip_events",
    "watch_lips",
]

_HOMES = {
    "errors": ["SinkError", "SourceError", "UsageError"],
    "pipeline": ["Pipeline", "analyze"],
    "records": ["Analysis", "Frame", "LipEvent", "Reading"],
    "running_events": ["lip_events", "watch_lips"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Video in, readings and events out: sources, tracking, smoothing, triggers, sinks and the command line.

Public names load on first use (PEP 562), so that importing the package stays cheap.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models.errors import SinkError, SourceError, UsageError
    from .lips.activity import LipActivity
    from .lips.face_choice import FaceChoice
    from .lips.limits import Limits, preset
    from .lips.running_events import lip_events, watch_lips
    from .pipeline import Pipeline
    from .records import Analysis, Frame, LipEvent, Reading
    from .session import Session, analyze, open_session
    from .settings import AnalysisSettings
    from .sinks.csv_sink import CsvSink
    from .sinks.overlay import draw
    from .sinks.sink import Sink
    from .video.cameras import open_camera
    from .video.sources import open_video

__all__ = [
    "Analysis",
    "AnalysisSettings",
    "CsvSink",
    "FaceChoice",
    "Frame",
    "Limits",
    "LipActivity",
    "LipEvent",
    "Pipeline",
    "Reading",
    "Session",
    "Sink",
    "SinkError",
    "SourceError",
    "UsageError",
    "analyze",
    "draw",
    "lip_events",
    "open_camera",
    "open_session",
    "open_video",
    "preset",
    "watch_lips",
]

_HOMES = {
    "..models.errors": ["SinkError", "SourceError", "UsageError"],
    ".lips.activity": ["LipActivity"],
    ".lips.face_choice": ["FaceChoice"],
    ".lips.limits": ["Limits", "preset"],
    ".lips.running_events": ["lip_events", "watch_lips"],
    ".pipeline": ["Pipeline"],
    ".records": ["Analysis", "Frame", "LipEvent", "Reading"],
    ".session": ["Session", "analyze", "open_session"],
    ".settings": ["AnalysisSettings"],
    ".sinks.csv_sink": ["CsvSink"],
    ".sinks.overlay": ["draw"],
    ".sinks.sink": ["Sink"],
    ".video.cameras": ["open_camera"],
    ".video.sources": ["open_video"],
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Load a public name when it is first asked for."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

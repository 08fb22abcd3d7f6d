"""Video in, readings and events out: sources, tracking, smoothing, events, sinks and the command line.

The public names load on first use.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..models.errors import SinkError, SourceError, TableError, UsageError
    from .lips.activity import LipActivity
    from .lips.face_choice import FaceChoice
    from .lips.limits import Limits, preset
    from .pipeline import Pipeline
    from .records import Analysis, Frame, LipEvent, Reading
    from .session import Session, open_session
    from .settings import AnalysisSettings
    from .sinks.drawing.overlay import draw
    from .sinks.sink import Sink
    from .sinks.tables.csv_sink import CsvSink
    from .sinks.tables.reading import read_table
    from .streams import analyze, lip_events, watch_lips
    from .video.cameras import open_camera
    from .video.sources import open_video

    __version__: str
else:
    from ..models.lazy_names import lazy

    __getattr__, __dir__ = lazy(
        __name__,
        {
            "..models.errors": ["SinkError", "SourceError", "TableError", "UsageError"],
            ".lips.activity": ["LipActivity"],
            ".lips.face_choice": ["FaceChoice"],
            ".lips.limits": ["Limits", "preset"],
            ".pipeline": ["Pipeline"],
            ".records": ["Analysis", "Frame", "LipEvent", "Reading"],
            ".session": ["Session", "open_session"],
            ".settings": ["AnalysisSettings"],
            ".sinks.tables.csv_sink": ["CsvSink"],
            ".sinks.drawing.overlay": ["draw"],
            ".sinks.sink": ["Sink"],
            ".streams": ["analyze", "lip_events", "watch_lips"],
            ".sinks.tables.reading": ["read_table"],
            ".video.cameras": ["open_camera"],
            ".video.sources": ["open_video"],
        },
    )

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
    "TableError",
    "UsageError",
    "analyze",
    "draw",
    "lip_events",
    "open_camera",
    "open_session",
    "open_video",
    "preset",
    "read_table",
    "watch_lips",
]

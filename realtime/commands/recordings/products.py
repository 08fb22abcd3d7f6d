"""What can be made of a recording: a table, its events, an annotated video. Each is a sink with a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...lips.limits import Kind as EventKind
from ...session import Session
from ...settings import AnalysisSettings
from ...sinks.drawing.themes import DEFAULT_THEME, Theme
from ...sinks.events.event_lines import EventLines
from ...sinks.sink import Sink
from ...sinks.tables.formats import table_sink
from ..file_formats import JSON
from .places import HERE, Places

Kind = Literal["table", "events", "video"]

BORIS = "boris"
SUFFIXES: Mapping[tuple[Kind, str], str] = {
    ("table", "csv"): ".csv",
    ("table", "parquet"): ".parquet",
    ("table", "jsonl"): ".jsonl",
    ("events", JSON): ".events.jsonl",
    ("events", "csv"): ".events.csv",
    ("events", "textgrid"): ".TextGrid",
    ("events", "audacity"): ".txt",
    ("events", "vtt"): ".vtt",
    ("events", "srt"): ".srt",
    ("events", "elan"): ".eaf",
    ("events", BORIS): ".boris",
    ("video", "mp4"): ".annotated.mp4",
}
"""What follows the recording's name in a product's, by the product's kind and format."""


@dataclass(frozen=True, slots=True)
class Target:
    """One product of one recording.

    Attributes:
        kind: a table of readings, events, or an annotated video.
        format: the table's or the events' format; of a video, ``"mp4"``.
        path: the file; ``"-"`` for stdout.
    """

    kind: Kind
    format: str
    path: Path | str


@dataclass(frozen=True, slots=True)
class ProductOptions:
    """How products are written, the same for all recordings of a run.

    Attributes:
        with_file: add the column ``file`` to tables: the recording, as it was given.
        media_time: count a table's timestamps from the container's zero, as its sound does, not from the first frame.
        merge_ids: give tracks of one person one id, told by appearance at the end of the recording.
        track: the number of the video track to read, from 0; None: the file's default.
        values: write a JSON line for each reading among the events too.
        face: whose events to write, as :class:`.FaceChoice` takes it; None: everyone's, each under its own id.
        preset: the preset's name, written into each event's JSON line; empty for none.
        interval_kind: the kind of events that interval formats contain, for on a tier intervals of two kinds would
            overlap; None: all that are detected, as BORIS gets them in any case.
        theme: what is drawn into an annotated video.
    """

    with_file: bool = False
    media_time: bool = False
    merge_ids: bool = False
    track: int | None = None
    values: bool = False
    face: str | None = None
    preset: str = ""
    interval_kind: EventKind | None = None
    theme: Theme = DEFAULT_THEME

    def concerning(self, kind: Kind) -> dict[str, object]:
        """Return the options on which the content of a product of this kind depends."""
        names = {
            "table": ("media_time", "with_file"),
            "events": ("values", "face", "preset", "interval_kind"),
            "video": ("theme",),
        }[kind]
        # Only where it is asked for, so that products from before there was this option stay complete.
        merging = ("merge_ids",) if self.merge_ids else ()
        return {name: getattr(self, name) for name in ("track", *names, *merging)}


def make_sink(
    target: Target,
    options: ProductOptions,
    settings: AnalysisSettings,
    source: Path | str,
    session: Session,
    places: Places = HERE,
) -> Sink:
    """Return the sink that makes a product.

    Args:
        target: the product.
        options: how it is written.
        settings: those of the analysis, for the metadata of tables that have some.
        source: the path of the recording; of a camera, its name, and then there is no link to it.
        session: the open session, which knows the source's times and sizes.
        places: where the files are on this machine.
    """
    video = session.source
    path = target.path if isinstance(target.path, str) else places.local(target.path)
    if target.kind == "table":
        start_time = video.start_time if options.media_time else 0.0
        about = {"source": video.name, "start_time": start_time, "settings": settings.as_data()}
        return table_sink(path, target.format, start_time, about, str(source) if options.with_file else None)
    if target.kind == "video":
        recording, rate = places.local(Path(source)), video.nominal_rate
        from ...sinks.videos.annotated_video import AnnotatedVideo  # takes 10 ms to import

        return AnnotatedVideo(Path(path), recording, video.size, rate, video.start_time, options.theme)
    if target.format == JSON:
        return EventLines(path, options.values, options.face, options.preset)
    from ...sinks.events.interval_sink import IntervalSink  # takes 6 ms to import

    return IntervalSink(
        path,
        target.format,
        start_time=video.start_time,
        rate=video.nominal_rate,
        media=str(places.named(source)) if isinstance(source, Path) else "",
        folder=str(places.named(Path(target.path)).parent),
        face=options.face,
        kind=None if target.format == BORIS else options.interval_kind,
    )

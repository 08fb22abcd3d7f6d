"""Takes that a page's button starts and ends: each a CSV table and an annotated video of its own."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ...models.errors import MouthLiveError
from ..records import Analysis, Frame
from ..sinks.sink import Sink
from ..sinks.tables.csv_sink import CsvSink
from ..sinks.videos.annotated_video import AnnotatedVideo
from ..video.sources import VideoSource
from .output_files import dated

log = logging.getLogger("mouth_live")

NAME = "take-%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class _Take:
    """A running take: its sinks, its first frame, and what completes its files."""

    table: CsvSink
    video: AnnotatedVideo
    first: Frame
    closing: ExitStack

    @property
    def names(self) -> str:
        """The names of its files, in words."""
        return " and ".join(path.name for path in (self.table.path, self.video.path) if path)


class Recorder(Sink):
    """Records on request. Frames and times of a take are counted from its first frame, in both files.

    Attributes:
        notice: what has become of the last take, in words; empty before the first.
        is_on: whether a take runs.
        seconds: how long it has run.
    """

    def __init__(self, folder: Path, source: Callable[[], VideoSource]) -> None:
        """Set the folder of the takes, and a function that returns the present source."""
        self.notice, self.seconds = "", 0.0
        self._folder, self._source = folder, source
        self._wanted = False
        self._take: _Take | None = None

    @property
    def is_on(self) -> bool:
        """Whether a take runs, or is about to begin."""
        return self._take is not None or self._wanted

    @property
    def names(self) -> str:
        """The names of the running take's files; empty without one."""
        take = self._take
        return take.names if take else ""

    def request(self, on: bool) -> None:
        """Begin or end a take with the next frame; any thread may call this."""
        self._wanted = on

    def write(self, analysis: Analysis) -> None:
        """Record one frame, where it is wanted."""
        try:
            if self._take is not None and (not self._wanted or _size(analysis.frame) != _size(self._take.first)):
                self._finish()  # a video has pictures of one size, so those of another camera end it
            if self._wanted and not analysis.silent:
                self._take = self._take or self._begin(analysis.frame)
                self._record(self._take, analysis)
        except (MouthLiveError, OSError) as error:
            self._give_up(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the running take: what was recorded before an error is kept."""
        try:
            self._finish()
        except (MouthLiveError, OSError) as failure:
            self._give_up(failure)

    def _begin(self, first: Frame) -> _Take:
        path = self._free_name()
        table = CsvSink(path.with_name(f"{path.name}.csv"))
        rate = self._source().nominal_rate
        video = AnnotatedVideo(path.with_name(f"{path.name}.mp4"), None, _size(first), rate, 0.0)
        with ExitStack() as stack:
            stack.enter_context(table)
            stack.enter_context(video)
            self.notice = ""
            return _Take(table, video, first, stack.pop_all())

    def _record(self, take: _Take, analysis: Analysis) -> None:
        frame, first = analysis.frame, take.first
        self.seconds = frame.time - first.time
        counted = replace(analysis, frame=Frame(frame.index - first.index, self.seconds, frame.image))
        take.table.write(counted)
        take.video.write(counted)

    def _finish(self) -> None:
        take, self._take, self._wanted = self._take, None, False
        if take is not None:
            take.closing.close()
            self.notice = f"{take.names} saved in {self._folder.resolve()}"
            log.info("%s", self.notice)

    def _give_up(self, error: MouthLiveError | OSError) -> None:
        """Abandon the take and say why; the session goes on."""
        take, self._take, self._wanted = self._take, None, False
        if take is not None:
            take.closing.__exit__(type(error), error, error.__traceback__)
        self.notice = f"not recorded: {error}"
        log.warning("%s", self.notice)

    def _free_name(self) -> Path:
        """Return a path without a suffix, of which there is no file yet."""
        path, number = dated(self._folder / NAME), 1
        free = path
        while any(path.parent.glob(f"{free.name}.*")):
            number += 1
            free = path.with_name(f"{path.name}-{number}")
        return free


def _size(frame: Frame) -> tuple[int, int]:
    """Return the (width, height) of a frame in pixels."""
    height, width = frame.image.shape[:2]
    return width, height

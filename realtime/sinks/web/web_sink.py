"""The sink that shows a session on web pages."""

from collections import deque
from collections.abc import Callable
from secrets import token_hex
from socket import socket
from time import monotonic
from types import TracebackType
from typing import Self

from ...records import Analysis
from ...video.sources import VideoSource
from ..report.colours import on_dark, on_light
from ..sink import Sink
from .access import Access
from .hub import About, Controls, Hub
from .messages import Meter, frame_messages
from .pictures import PictureMaker
from .server import WebServer


class WebSink(Sink):
    """Serve the pages while a session runs. Neither a slow page nor many of them hold it up."""

    def __init__(
        self,
        taken: socket,
        access: Access,
        controls: Controls,
        *,
        source: Callable[[], VideoSource],
        picture: bool = True,
        avatar: tuple[bytes, ...] = (),
        dropped: Callable[[], int] = lambda: 0,
        on_ready: Callable[[], object] = lambda: None,
    ) -> None:
        """Set it up; the server starts with the session.

        Args:
            taken: the socket to listen at.
            access: who may see the pages.
            controls: what a page may change.
            source: returns the present source.
            picture: send the picture too.
            avatar: the user's own pictures for OBS.
            dropped: returns the number of frames that were dropped so far.
            on_ready: called when the pages can be opened.
        """
        self._source, self._shown = source, source()
        name, size = self._shown.name, self._shown.size
        about = About(name, size, token_hex(8), picture, len(avatar), tuple(on_light()), tuple(on_dark()))
        self._pictures = PictureMaker(lambda made: self._server.call(self._hub.take_picture, made)) if picture else None
        self._hub = Hub(about, controls, self._pictures.want if self._pictures else lambda: None)
        self._server = WebServer(taken, access, self._hub, avatar)
        self._dropped, self._on_ready = dropped, on_ready
        self._arrivals = deque[float]()

    def __enter__(self) -> Self:
        """Start the server."""
        self._server.start()
        if self._pictures:
            self._pictures.start()
        self._on_ready()
        return self

    def write(self, analysis: Analysis) -> None:
        """Hand one frame over."""
        if (source := self._source()) is not self._shown:
            self._shown = source
            self._server.call(self._hub.use_source, source.name, source.size)
        if self._pictures and not analysis.silent:
            self._pictures.put(analysis.frame)
        messages = frame_messages(analysis, Meter(self._rate(analysis.silent), self._dropped()))
        self._server.call(self._hub.take, messages, analysis.frame.time)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        if self._pictures:
            self._pictures.stop()
        self._server.stop()

    def _rate(self, silent: bool) -> float:
        """Return the frames per second over the last second."""
        now = monotonic()
        if not silent:
            self._arrivals.append(now)
        while self._arrivals and now - self._arrivals[0] > 1:
            self._arrivals.popleft()
        span = now - self._arrivals[0] if self._arrivals else 0.0
        return (len(self._arrivals) - 1) / span if span > 0 else 0.0

"""One connected page: what waits for it is bounded, and newer values take the place of older ones."""

import asyncio
from collections import deque

from aiohttp.web import WebSocketResponse

from ...records import LipEvent
from .messages import FrameMessages, event_message
from .pictures import Picture

MAX_WAITING_FRAMES = 8  # a quarter of a second at 30 frames/s; older values are dropped
MAX_WAITING_EVENTS = 256  # none is dropped: a client that does not take them is disconnected
SEND_TIMEOUT = 10.0  # s until a client that takes nothing is disconnected


class Client:
    """What waits for one client. All methods run in the server's event loop.

    Attributes:
        wants_picture: whether it has shown the picture before, and may be sent the next.
        seen: the index of the last picture that it was sent.
    """

    def __init__(self, socket: WebSocketResponse) -> None:
        """Take an open connection."""
        self._socket = socket
        self._frames: deque[FrameMessages] = deque()
        self._texts: dict[str, str] = {}
        self._picture: Picture | None = None
        self._has_news = asyncio.Event()
        self._ended = False
        self.wants_picture, self.seen = False, -1

    def put_frame(self, frame: FrameMessages) -> None:
        """Add a frame, and drop the values of those that waited too long."""
        self._frames.append(frame)
        waiting = len(self._frames) - MAX_WAITING_FRAMES
        if waiting > 0:
            kept = [FrameMessages((), old.events) for old in list(self._frames)[:waiting] if old.events]
            self._frames = deque([*kept, *list(self._frames)[waiting:]])
            if sum(len(old.events) for old in kept) > MAX_WAITING_EVENTS:
                self.end()
        self._has_news.set()

    def put_text(self, kind: str, text: str) -> None:
        """Add a message that takes the place of an earlier one of its kind."""
        self._texts[kind] = text
        self._has_news.set()

    def put_picture(self, picture: Picture) -> None:
        """Add the picture that it wants."""
        self._picture, self.wants_picture, self.seen = picture, False, picture.index
        self._has_news.set()

    def end(self) -> None:
        """Disconnect it."""
        self._ended = True
        self._has_news.set()

    async def greet(self, messages: list[str], ongoing: list[LipEvent]) -> None:
        """Send what a new client must know."""
        for message in (*messages, *map(event_message, ongoing)):
            await self._socket.send_str(message)

    async def run(self) -> None:
        """Send what comes until the client is ended or takes nothing for too long."""
        while not self._ended:
            await self._has_news.wait()
            self._has_news.clear()
            try:
                async with asyncio.timeout(SEND_TIMEOUT):
                    await self._send_all()
            except TimeoutError:
                return

    async def _send_all(self) -> None:
        frames, self._frames = self._frames, deque()
        texts, self._texts = self._texts, {}
        picture, self._picture = self._picture, None
        for frame in frames:
            for message in (*frame.values, *map(event_message, frame.events)):
                await self._socket.send_str(message)
        for text in texts.values():
            await self._socket.send_str(text)
        if picture is not None:
            await self._socket.send_bytes(picture.message)

"""A WebSocket server: each client gets each event and value as one JSON text message.

Browsers may connect from pages of this machine alone, unless ``?origin=`` allows others: else any web page that the
user happens to open could listen. Programs that send no Origin may connect.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import ReceiverError, SinkError
from ..records import LipEvent
from ..threads import new_thread
from .addresses import Address
from .json_lines import event_json, json_lines
from .libraries import require
from .moments import Moment
from .output import Output

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

log = logging.getLogger("mouth_live")

MOST_UNSENT = 1 << 19  # bytes that may wait for one client, some 5,000 messages; then it is dropped
SEND_BUFFER = 1 << 16  # bytes that the system keeps for a client, asked for; else it takes megabytes of stale messages
MOST_RECEIVED = 4096  # bytes of one message from a client; what clients say is not used
START, END = 5.0, 1.5  # s for the server to start, and to say goodbye to its clients


class WebSocketServer(Output):
    """Serves any number of clients; one that reads too slowly is dropped, and neither the capture nor the rest waits.

    A new client is first told what is on.
    """

    def __init__(self, name: str, host: str, port: int, values: bool, origins: Sequence[str]) -> None:
        """Say where to listen.

        Args:
            name: the URL.
            host: address to listen at.
            port: TCP port.
            values: whether values are sent too, or events alone.
            origins: web origins that may connect besides those of this machine.
        """
        self.name, self._host, self._port, self._values = name, host, port, values
        self._origins = frozenset(origins)
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._clients: set[ServerConnection] = set()
        self._running: dict[tuple[str, int | None], LipEvent] = {}
        self._refused: set[str] = set()

    def prepare(self) -> None:
        """Load the library and take the port."""
        require(self.name, "websockets.asyncio.server", "websockets")
        try:
            family, _, _, _, where = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
            self._socket = socket.create_server(where[:2], family=family)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # its clients inherit it
        except OSError as error:
            raise SinkError(f"{self.name}: cannot listen there ({error.strerror}); choose another port") from None

    def open(self, ending: object) -> None:
        """Start the server in a thread of its own."""
        self._thread = new_thread(f"server {self.name}", self._serve_forever)
        self._thread.start()
        if not self._ready.wait(START):
            raise SinkError(f"{self.name}: the server does not start")

    def send(self, moment: Moment) -> None:
        """Hand the messages to the server's thread."""
        lines = self.render(moment)
        if self._loop is None:
            raise ReceiverError("is closed")
        if lines:
            self._loop.call_soon_threadsafe(self._broadcast, lines, moment.events)

    def close(self) -> None:
        """Say goodbye to the clients, once what was sent has gone out."""
        loop, end, self._loop = self._loop, self._end, None
        if loop is not None and end is not None:
            loop.call_soon_threadsafe(end.set)
        if self._thread is not None:
            self._thread.join(END)

    def render(self, moment: Moment) -> list[str]:
        """The messages."""
        return json_lines(moment, self._values)

    def _serve_forever(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        from websockets.asyncio.server import serve

        quiet = logging.getLogger("mouth_live.websockets")
        quiet.setLevel(logging.CRITICAL)  # a bad client is its own business
        async with serve(
            self._client,
            sock=self._socket,
            process_request=self._check_origin,
            compression=None,
            max_size=MOST_RECEIVED,
            close_timeout=END / 3,
            logger=quiet,
        ):
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._end.wait()

    async def _client(self, connection: "ServerConnection") -> None:
        """One client, for as long as it stays."""
        for start in self._running.values():
            await connection.send(event_json(start))
        self._clients.add(connection)
        try:
            async for _ in connection:
                pass
        finally:
            self._clients.discard(connection)

    def _check_origin(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """Refuse a web page from elsewhere."""
        origins = request.headers.get_all("Origin")
        if all(origin in self._origins or _is_local(origin) for origin in origins):
            return None
        if not self._refused.issuperset(origins):
            self._refused.update(origins)
            log.warning("%s: refused a page from %s; ?origin= can allow it", self.name, origins[0][:200])
        return connection.respond(HTTPStatus.FORBIDDEN, "pages from this origin may not connect\n")

    def _broadcast(self, lines: Sequence[str], events: Sequence[LipEvent]) -> None:
        """In the server's thread: send to all clients that keep up."""
        from websockets.asyncio.server import broadcast

        for event in events:
            if event.type == "start":
                self._running[event.kind, event.face_id] = event
            else:
                self._running.pop((event.kind, event.face_id), None)
        for client in list(self._clients):
            if client.transport.get_write_buffer_size() > MOST_UNSENT:
                log.warning("%s: dropped a client that reads too slowly", self.name)
                self._clients.discard(client)
                client.transport.abort()
        for line in lines:
            broadcast(self._clients, line)


def _is_local(origin: str) -> bool:
    """Whether a web origin is a page of this machine."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def make(address: Address) -> Output:
    """From ``ws://HOST:PORT?values=yes|no&origin=https://HOST[,https://HOST...]``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values", "origin"))
    address.no_path()
    host, port = address.need_host(None, "ws://127.0.0.1:8765")
    origins = [origin for origin in address.text("origin", "").split(",") if origin]
    for origin in origins:
        if origin != "null" and ("://" not in origin or origin.count("/") > 2):
            raise address.wrong(f"origin: expected one such as https://example.org, got '{origin}'")
    return WebSocketServer(address.name, host, port, address.flag("values", default=True), origins)

"""A WebSocket server: each client gets each event and value as one JSON text message.

Browsers may connect only from pages of this machine, unless ``?origin=`` allows others: else any web page that the user
opens could listen. Programs that send no Origin may connect.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...models.errors import ReceiverError, SinkError
from ..lips.event_json import event_json, hello_json
from ..lips.ongoing_events import OngoingEvents
from ..system.listening import listening_socket
from .addresses import Address
from .json_lines import json_lines
from .libraries import require
from .mailbox import Mailbox
from .output import Output
from .update import Update

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

log = logging.getLogger("mouth_live")

MAX_UNSENT_BYTES = 1 << 19  # for one client, some 5,000 messages; with more it is dropped
SEND_BUFFER_BYTES = 1 << 16  # of the system for one client
MAX_RECEIVED_BYTES = 4096  # of one message from a client; clients' messages are not used
SHUTDOWN_TIMEOUT = 1.5  # s for the closing handshakes with all clients


class WebSocketServer(Output):
    """Serves any number of clients; one that reads too slowly is dropped, and neither the capture nor the rest waits.

    A new client first gets a hello with the protocol's version, and the starts of all that is on.
    """

    def __init__(self, name: str, host: str, port: int, values: bool, origins: Sequence[str]) -> None:
        """Take the address; :meth:`prepare` takes the port.

        Args:
            name: the URL.
            host: address to listen at.
            port: TCP port.
            values: whether values are sent too, or events alone.
            origins: web origins that may connect, in addition to those of this machine.
        """
        self.name, self._host, self._port, self._values = name, host, port, values
        self._origins = frozenset(origins)
        self._socket: socket.socket | None = None
        self._runner: asyncio.Runner | None = None  # the loop runs in the worker's thread, while it waits
        self._server: Server | None = None
        self._has_update = asyncio.Event()
        self._clients: set[ServerConnection] = set()
        self._ongoing = OngoingEvents()
        self._refused: set[str] = set()

    def prepare(self) -> None:
        """Load the library and take the port."""
        require(self.name, "websockets.asyncio.server", "websockets")
        try:
            self._socket = listening_socket(self._host, self._port, SEND_BUFFER_BYTES, self.name)
        except OSError as error:
            raise SinkError(str(error)) from None

    def open(self, is_ending: object) -> None:
        """Start the server."""
        self._runner = asyncio.Runner()
        self._runner.run(self._start())

    def wait_for_update(self, mailbox: Mailbox, timeout: float) -> Update | None:
        """Serve the clients until there is an update, ``timeout`` seconds at most."""
        runner = self._open_runner()
        if mailbox.notify is None:
            loop = runner.get_loop()

            def wake() -> None:
                """Let the server see the update."""
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._has_update.set)

            mailbox.notify = wake
        update = mailbox.take(0)
        runner.run(self._wait(0 if update or mailbox.closed else timeout))  # the clients are served in any case
        return update or mailbox.take(0)

    def messages(self, update: Update) -> list[str]:
        """Return the text messages."""
        return json_lines(update, self._values)

    def send(self, update: Update) -> None:
        """Send to all clients that keep up."""
        from websockets.asyncio.server import broadcast

        for event in update.events:
            self._ongoing.take(event)
        self._drop_slow_clients()
        for line in self.messages(update):
            broadcast(self._clients, line)

    def close(self) -> None:
        """Close the connections after everything is sent."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.run(self._stop())
            runner.close()
        elif self._socket is not None:
            self._socket.close()

    async def _start(self) -> None:
        from websockets.asyncio.server import serve

        quiet = logging.getLogger("mouth_live.websockets")
        quiet.setLevel(logging.CRITICAL)  # the user cannot mend a bad client
        self._server = await serve(
            self._client,
            sock=self._socket,
            process_request=self._check_origin,
            compression=None,
            max_size=MAX_RECEIVED_BYTES,
            close_timeout=SHUTDOWN_TIMEOUT / 3,
            logger=quiet,
        )

    async def _wait(self, timeout: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._has_update.wait()
        self._has_update.clear()

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_TIMEOUT):
                    await self._server.wait_closed()

    def _open_runner(self) -> asyncio.Runner:
        if self._runner is None:
            raise ReceiverError("is closed")
        return self._runner

    async def _client(self, connection: "ServerConnection") -> None:
        """Serve one client until it leaves."""
        from websockets.asyncio.server import broadcast

        for message in (hello_json(), *map(event_json, self._ongoing)):
            broadcast([connection], message)
        self._clients.add(connection)
        try:
            async for _ in connection:
                pass
        finally:
            self._clients.discard(connection)

    def _check_origin(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """Refuse a web page of another machine."""
        origins = request.headers.get_all("Origin")
        if all(origin in self._origins or _is_local(origin) for origin in origins):
            return None
        if not self._refused.issuperset(origins):
            self._refused.update(origins)
            log.warning("%s: refused a page from %s; ?origin= can allow it", self.name, origins[0][:200])
        return connection.respond(HTTPStatus.FORBIDDEN, "pages from this origin may not connect\n")

    def _drop_slow_clients(self) -> None:
        for client in list(self._clients):
            if client.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
                log.warning("%s: dropped a client that reads too slowly", self.name)
                self._clients.discard(client)
                client.transport.abort()


def _is_local(origin: str) -> bool:
    """Return whether a web origin is a page of this machine."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def make(address: Address) -> Output:
    """Make the output of ``ws://HOST:PORT?values=yes|no&origin=https://HOST[,https://HOST...]``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values", "origin"))
    address.refuse_path()
    host, port = address.host_and_port(None, "ws://127.0.0.1:8765")
    origins = [origin for origin in address.text("origin", "").split(",") if origin]
    for origin in origins:
        if origin != "null" and ("://" not in origin or origin.count("/") > 2):
            raise address.error(f"origin: expected one such as https://example.org, got '{origin}'")
    return WebSocketServer(address.name, host, port, address.flag("values", default=True), origins)

"""The web server: pages, scripts and pictures over HTTP, all that changes over a WebSocket, in a thread of its own."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.resources import files
from itertools import count
from threading import Event

from aiohttp import WSCloseCode, WSMsgType, web

from ....models.errors import SinkError
from ...system.listening import listening_socket
from ...system.threads import new_thread
from .access import Access
from .client import Client
from .hub import Hub
from .obs_options import option_problem

MAX_CLIENTS = 32
MAX_RECEIVED_BYTES = 4096  # of one message from a page
SEND_BUFFER_BYTES = 1 << 17  # of the system for one client
HEARTBEAT = 15.0  # s between two signs of life that a silent client is asked for
STATE_INTERVAL = 0.25  # s
STATE_REPEAT = 4  # intervals after which the state is told even where nothing has changed: a page knows that we live
CLOSE_TIMEOUT = 0.5  # s for the last messages, and for the farewell
JOIN_TIMEOUT = 3.0  # s

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_PAGES = {"": "live.html", "obs": "obs.html"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
    "Server": "mouth-live",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Args:
        host: the address, or a name of this machine.
        port: the TCP port; 0 takes any free one.

    Raises:
        SinkError: the port is taken, or the address is none of this machine.
    """
    try:
        return listening_socket(host, port, SEND_BUFFER_BYTES, options=("--host", "--port"))
    except OSError as error:
        raise SinkError(str(error)) from None


class WebServer:
    """Serves the pages. :meth:`call` reaches the hub from other threads."""

    def __init__(self, taken: socket.socket, access: Access, hub: Hub, avatar: tuple[bytes, ...] = ()) -> None:
        """Set it up; :meth:`start` starts the thread.

        Args:
            taken: the socket to listen at.
            access: who may talk to it.
            hub: the connected pages.
            avatar: PNG files of the user's avatar.
        """
        self._socket, self._access, self._hub, self._avatar = taken, access, hub, avatar
        self._files = {
            name: (file.read_bytes(), _TYPES[name[name.rindex(".") :]])
            for file in files("mouth_live.realtime.sinks.web").iterdir()
            if (name := file.name).endswith(tuple(_TYPES))
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._is_ready = Event()
        self._connections = 0
        self._sockets = set[web.WebSocketResponse]()
        self._thread = new_thread("web server", self._run)

    def start(self) -> None:
        """Start the thread, and wait until it serves."""
        self._thread.start()
        self._is_ready.wait(JOIN_TIMEOUT)

    def stop(self) -> None:
        """Say goodbye to all pages and end the thread."""
        self.call(self._ending.set)
        self._thread.join(JOIN_TIMEOUT)

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the server's thread, soon."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(function, *arguments)

    def _run(self) -> None:
        logging.getLogger("aiohttp").setLevel(logging.CRITICAL)  # the user cannot mend a bad client
        try:
            asyncio.run(self._serve())
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        application = web.Application(middlewares=[self._guard], client_max_size=MAX_RECEIVED_BYTES)
        application.on_response_prepare.append(_add_headers)
        prefix = self._access.prefix
        if prefix != "/":
            application.router.add_get(prefix.rstrip("/"), self._add_slash)
        application.router.add_get(f"{prefix}ws", self._talk)
        application.router.add_get(f"{prefix}avatar/{{number:[0-9]}}.png", self._send_avatar)
        application.router.add_get(f"{prefix}{{name:[a-z.]*}}", self._send_file)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_TIMEOUT)
        await runner.setup()
        await web.SockSite(runner, self._socket).start()
        self._loop = asyncio.get_running_loop()
        self._is_ready.set()
        try:
            for turn in count():
                if self._ending.is_set():
                    break
                self._hub.tell_state(anyway=turn % STATE_REPEAT == 0)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), STATE_INTERVAL)
            await self._say_goodbye()
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer those alone who may ask."""
        if not self._access.allows(request):
            return web.Response(status=403)
        return await handler(request)

    async def _add_slash(self, request: web.Request) -> web.Response:
        """Send a browser on to the address that ends in a slash: the page's files are named relative to it."""
        raise web.HTTPFound(f"{request.path}/")

    async def _send_file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "obs" and (problem := option_problem(request.query.items())):
            return web.Response(status=400, text=f"{problem}\n")
        if name.endswith(".html") or (name := _PAGES.get(name, name)) not in self._files:
            raise web.HTTPNotFound
        content, kind = self._files[name]
        return web.Response(body=content, content_type=kind, charset="utf-8")

    async def _send_avatar(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number >= len(self._avatar):
            raise web.HTTPNotFound
        return web.Response(body=self._avatar[number], content_type="image/png")

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        """Serve one page's WebSocket until it leaves."""
        if self._connections >= MAX_CLIENTS:
            return web.Response(status=503, text="too many pages are open\n")
        self._connections += 1
        connection = web.WebSocketResponse(
            max_msg_size=MAX_RECEIVED_BYTES, heartbeat=HEARTBEAT, compress=False, timeout=CLOSE_TIMEOUT
        )
        try:
            await connection.prepare(request)
            await self._serve_client(request, connection)
        finally:
            self._connections -= 1
        return connection

    async def _serve_client(self, request: web.Request, connection: web.WebSocketResponse) -> None:
        client = Client(connection)

        async def send() -> None:
            """Send all that waits; a client that is too slow, or gone, is cut off."""
            with suppress(ConnectionError):
                await self._hub.greet(client)
                await client.run()
            if request.transport is not None:
                request.transport.abort()

        sending = asyncio.create_task(send())
        self._sockets.add(connection)
        try:
            async for message in connection:
                if message.type is WSMsgType.TEXT:
                    self._hub.receive(client, message.data)
        finally:
            self._hub.clients.discard(client)
            self._sockets.discard(connection)
            sending.cancel()

    async def _say_goodbye(self) -> None:
        self._hub.stop_all()
        await asyncio.sleep(CLOSE_TIMEOUT / 10)
        closing = [s.close(code=WSCloseCode.GOING_AWAY, message=b"mouth-live ended") for s in self._sockets]
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await asyncio.gather(*closing, return_exceptions=True)


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)

"""All connected pages: what is sent to each, and what they ask for. It lives in the server's event loop."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from ...lips.event_json import hello_json
from ...lips.ongoing_events import OngoingEvents
from .client import Client
from .messages import FrameMessages
from .pictures import Picture


class Controls(Protocol):
    """What a page may change. Both methods are called in the server's thread."""

    def state(self) -> Mapping[str, Any]:
        """Return what the page shows of limits, recording and outputs, as data that JSON can hold."""
        ...

    def handle(self, command: Mapping[str, Any]) -> None:
        """Do what a page asks for.

        Raises:
            ValueError: it cannot be done; the message is shown on the page.
        """
        ...


@dataclass(frozen=True, slots=True)
class About:
    """What is sent to a new page first.

    Attributes:
        source: the name of the source.
        size: the (width, height) of its frames in pixels.
        run: differs between two runs of the program.
        picture: whether the picture is sent.
        avatar: the number of the user's own pictures for OBS; 0 for the drawn avatar.
        light, dark: the colours of the faces on a light and on a dark page, as ``#rrggbb``.
    """

    source: str
    size: tuple[int, int]
    run: str
    picture: bool
    avatar: int
    light: tuple[str, ...]
    dark: tuple[str, ...]


class Hub:
    """The connected pages."""

    def __init__(self, about: About, controls: Controls, want_picture: Callable[[], object]) -> None:
        """Begin without pages.

        Args:
            about: what is sent to a new page first.
            controls: what a page may change.
            want_picture: called when a page waits for the next picture.
        """
        self._about, self._controls, self._want_picture = about, controls, want_picture
        self.clients = set[Client]()
        self._ongoing = OngoingEvents()
        self._picture: Picture | None = None
        self._time = 0.0
        self._state = ""

    def take(self, frame: FrameMessages, time: float) -> None:
        """Tell all pages of a frame."""
        self._time = time
        for event in frame.events:
            self._ongoing.take(event)
        for client in self.clients:
            client.put_frame(frame)

    def take_picture(self, picture: Picture) -> None:
        """Send a picture to the pages that wait for one."""
        self._picture = picture
        for client in self.clients:
            if client.wants_picture:
                client.put_picture(picture)

    def tell_state(self, anyway: bool = False) -> None:
        """Tell all pages of limits, recording and outputs, where something has changed, or ``anyway``."""
        state = self._state_message()
        if anyway or state != self._state:
            self._state = state
            for client in self.clients:
                client.put_text("state", state)

    def use_source(self, name: str, size: tuple[int, int]) -> None:
        """Tell all pages that the frames come from another source, of this name and (width, height) in pixels."""
        self._about = replace(self._about, source=name, size=size)
        self._picture = None
        for client in self.clients:
            client.put_text("source", json.dumps({"type": "source", "source": name, "size": size}))

    def stop_all(self) -> None:
        """Tell all pages the stops of what is on: the program ends."""
        stops = tuple(self._ongoing.stops(self._time))
        self.take(FrameMessages((), stops), self._time)

    async def greet(self, client: Client) -> None:
        """Tell a new page what it must know, and count it in."""
        about = self._about
        colours = {"light": about.light, "dark": about.dark}
        hello = hello_json(
            source=about.source,
            size=about.size,
            run=about.run,
            picture=about.picture,
            avatar=about.avatar,
            colours=colours,
        )
        self.clients.add(client)  # what happens during the greeting waits for it
        await client.greet([hello, self._state_message()], list(self._ongoing))

    def receive(self, client: Client, text: str) -> None:
        """Do what a page asks for, or send it the reason why not."""
        try:
            command = json.loads(text)
        except (ValueError, RecursionError):
            command = None
        if not isinstance(command, dict):
            self._refuse(client, "expected a JSON object")
            return
        command = cast("dict[str, Any]", command)
        if command.get("type") == "picture":
            self._send_picture(client)
            return
        try:
            self._controls.handle(command)
        except ValueError as error:
            self._refuse(client, str(error))
        self.tell_state()

    def _send_picture(self, client: Client) -> None:
        if not self._about.picture:
            return
        if self._picture is not None and client.seen < 0:
            client.put_picture(self._picture)  # the first one at once, even while the camera is silent
            return
        client.wants_picture = True
        self._want_picture()

    def _state_message(self) -> str:
        return json.dumps({"type": "state", **self._controls.state()})

    @staticmethod
    def _refuse(client: Client, reason: str) -> None:
        client.put_text("error", json.dumps({"type": "error", "message": reason}))

"""OBS Studio: a scene switched to, or a source shown, while the chosen face's lips are active.

Source: obs-websocket 5 protocol (github.com/obsproject/obs-websocket, docs/generated/protocol.md).
"""

import base64
import hashlib
import os
from itertools import count
from typing import Any, cast

from ...models.errors import ClosedError, ReceiverError, RefusedError
from .addresses import Address
from .libraries import require
from .output import Output
from .update import Update
from .websocket_client import Connection, JsonObject

OBS_PASSWORD_VARIABLE = "MOUTH_LIVE_OBS_PASSWORD"
HELLO, IDENTIFY, IDENTIFIED, REQUEST, RESPONSE = 0, 1, 2, 6, 7
RPC_VERSION = 1
AUTHENTICATION_FAILED = 4009  # close code
NOT_READY = 207  # request status: OBS is starting, or changes its scene collection


class ObsSwitch(Output):
    """Switches OBS at a start, and back at the stop and at the end of the program."""

    heartbeat_interval = 2.0  # to notice that OBS was closed

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        password: str,
        scene: str,
        idle: str,
        source: str,
        kind: str,
        toggles: bool = False,
    ) -> None:
        """Take what to switch; :meth:`open` looks it up.

        Args:
            name: the URL without its password.
            host: of OBS.
            port: of its WebSocket server.
            password: of that server; empty for none.
            scene: switched to while the event is on; with ``source`` the scene that it is in, empty for the current.
            idle: the scene to go back to; empty for the one that was on before.
            source: shown while the event is on; empty to switch scenes.
            kind: of the event.
            toggles: show the source where it is hidden, and hide it where it is shown, at each start; a stop and the
                end of the program change nothing.
        """
        self.name, self._host, self._port, self._password = name, host, port, password
        self._scene, self._idle, self._source, self._kind = scene, idle, source, kind
        self._toggles = toggles
        self._connection: Connection | None = None
        self._item: tuple[str, int] | None = None  # the source's scene and its id there
        self._before = ""  # the scene to go back to
        self._ids = count(1)

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "websockets.sync.client", "websockets")

    def open(self, is_ending: object) -> None:
        """Connect, log in, and look up the scene and the source."""
        self._connection = Connection(self._host, self._port, ["obswebsocket.json"])
        hello = self._expect(HELLO)
        identify: JsonObject = {"rpcVersion": RPC_VERSION, "eventSubscriptions": 0}
        if challenge := hello.get("authentication"):
            if not self._password:
                raise RefusedError(f"OBS wants a password; set {OBS_PASSWORD_VARIABLE}, or write obs://:PASSWORD@HOST")
            identify["authentication"] = authentication(self._password, challenge["salt"], challenge["challenge"])
        self._connection.send({"op": IDENTIFY, "d": identify})
        try:
            self._expect(IDENTIFIED)
        except ClosedError as error:
            if error.code == AUTHENTICATION_FAILED:
                raise RefusedError("OBS says that the password is wrong") from None
            raise
        self._look_up()

    def messages(self, update: Update) -> list[str]:
        """Return the request, where the state of the event changes."""
        wanted = self._kind in update.slot.ongoing
        if wanted == (update.previous is not None and self._kind in update.previous.ongoing):
            return []
        if self._toggles:
            return [f"SetSceneItemEnabled {self._source} toggle"] if wanted else []
        if self._source:
            return [f"SetSceneItemEnabled {self._source} {'true' if wanted else 'false'}"]
        return [f"SetCurrentProgramScene {self._scene if wanted else self._idle or '(the scene before)'}"]

    def send(self, update: Update) -> None:
        """Switch where the state changes; else check that OBS is still there.

        At first a source is hidden and an idle scene is switched to. Without an idle scene the current one stays.
        """
        is_unknown = update.previous is None and bool(self._source or self._idle) and not self._toggles
        if not (is_unknown or self.messages(update)):
            self._drain()
            return
        for kind, data in self._requests(self._kind in update.slot.ongoing):
            self._request(kind, data)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _requests(self, on: bool) -> list[tuple[str, JsonObject]]:
        if self._item is not None:
            scene, number = self._item
            item: JsonObject = {"sceneName": scene, "sceneItemId": number}
            if self._toggles:
                on = not self._request("GetSceneItemEnabled", item)["sceneItemEnabled"]
            return [("SetSceneItemEnabled", item | {"sceneItemEnabled": on})]
        if on:
            current = "" if self._idle else self._current_scene()
            if current != self._scene:  # after an outage it may be there still
                self._before = current
            return [("SetCurrentProgramScene", {"sceneName": self._scene})]
        back = self._idle or self._before
        return [("SetCurrentProgramScene", {"sceneName": back})] if back else []

    def _look_up(self) -> None:
        """Look up what will be switched, so that a wrong name is reported at once."""
        if self._source:
            scene = self._scene or self._current_scene()
            found = self._request("GetSceneItemId", {"sceneName": scene, "sourceName": self._source})
            self._item = scene, int(found["sceneItemId"])
            return
        scenes = cast("list[JsonObject]", self._request("GetSceneList", {})["scenes"])
        names = [str(scene["sceneName"]) for scene in scenes]
        for wanted in filter(None, (self._scene, self._idle)):
            if wanted not in names:
                raise RefusedError(f"OBS has no scene '{wanted}'; it has: {', '.join(names)}")

    def _current_scene(self) -> str:
        found = self._request("GetCurrentProgramScene", {})
        return str(found.get("currentProgramSceneName") or found.get("sceneName") or "")

    def _request(self, kind: str, data: JsonObject) -> JsonObject:
        """Send a request to OBS and return the data of its answer."""
        connection = self._open_connection()
        number = str(next(self._ids))
        connection.send({"op": REQUEST, "d": {"requestType": kind, "requestId": number, "requestData": data}})
        answer = self._expect(RESPONSE)
        while answer.get("requestId") != number:
            answer = self._expect(RESPONSE)
        status: JsonObject = answer["requestStatus"]
        if not status["result"]:
            text = f"OBS cannot do {kind}: {status.get('comment') or 'code ' + str(status['code'])}"
            raise ReceiverError(text) if status["code"] == NOT_READY else RefusedError(text)
        return cast("JsonObject", answer.get("responseData") or {})

    def _expect(self, code: int) -> JsonObject:
        """Return the data of the next message of this kind; others are skipped."""
        while (message := self._open_connection().receive()) is not None:
            if message.get("op") == code:
                return cast("dict[str, Any]", message.get("d", {}))
        raise ReceiverError("something listens there, but does not answer as OBS")

    def _drain(self) -> None:
        while self._open_connection().receive(0.0) is not None:
            pass

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise ReceiverError("is closed")
        return self._connection


def authentication(password: str, salt: str, challenge: str) -> str:
    """Return the answer to OBS's challenge, as the protocol describes it."""

    def digest(text: str) -> str:
        """Return the SHA-256 of a text in Base64."""
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return digest(digest(password + salt) + challenge)


def make(address: Address) -> Output:
    """Make the output of ``obs://[:PASSWORD@]HOST[:4455]?scene=NAME[&idle=NAME]`` or ``?source=NAME[&mode=toggle]``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("scene", "idle", "source", "kind", "mode"))
    address.refuse_path()
    host, port = address.host_and_port(4455, "obs://127.0.0.1:4455")
    scene, idle, source = (address.text(option, "") for option in ("scene", "idle", "source"))
    if not scene and not source:
        raise address.error("say what to switch: ?scene=NAME, or ?source=NAME to show and hide")
    if idle and source:
        raise address.error("idle goes with scene alone")
    mode = address.options.get("mode", "show")
    if mode not in ("show", "toggle"):
        raise address.error(f"mode: expected show or toggle, got '{mode}'")
    if mode == "toggle" and not source:
        raise address.error("mode=toggle goes with a source")
    password = address.password or os.environ.get(OBS_PASSWORD_VARIABLE, "")
    return ObsSwitch(address.name, host, port, password, scene, idle, source, address.event_kind(), mode == "toggle")

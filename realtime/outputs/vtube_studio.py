"""VTube Studio: the chosen face's openness as a tracking parameter of the avatar.

Source: VTube Studio API 1.0 (github.com/DenchiSoft/VTubeStudio, README.md).
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import cast

from ...models.errors import ReceiverError, RefusedError
from .addresses import Address
from .libraries import require
from .moments import Moment
from .output import Output
from .websocket_client import Connection, Object

log = logging.getLogger("mouth_live")

PLUGIN = {"pluginName": "mouth-live", "pluginDeveloper": "The mouth-live developers"}
PARAMETER = "MouthLiveOpen"
AGAIN = 0.5  # s; VTube Studio gives a parameter up that is not sent for a second
ASK_TIMEOUT = 600.0  # s that the user has to answer VTube Studio's question
LAST_ANSWER = 0.5  # s to wait for the answers at the end
DENIED = 50  # errorID: the user has denied access


class VTubeStudio(Output):
    """Feeds one parameter. VTube Studio asks its user once whether mouth-live may; the token that it gives is kept."""

    heartbeat = AGAIN
    newest_only = True

    def __init__(self, name: str, host: str, port: int, parameter: str) -> None:
        """Say where VTube Studio is, and which parameter to feed: one of its own, or a new one."""
        self.name, self._host, self._port, self._parameter = name, host, port, parameter
        self._connection: Connection | None = None
        self._asked = False
        self._unanswered = 0  # values that were sent
        self._ids = count(1)

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "websockets.sync.client", "websockets")
        require(self.name, "platformdirs", "platformdirs")

    def open(self, ending: Callable[[], bool]) -> None:
        """Connect, authenticate with the stored token or ask for one, and create the parameter if it is new."""
        self._connection = Connection(self._host, self._port)
        path = token_path(self._host, self._port)
        token = _read(path)
        if not token or not self._authenticate(token):
            token = self._ask_for_token(ending)
            _keep(path, token)
            if not self._authenticate(token):
                raise RefusedError("VTube Studio does not accept the token that it has just given")
        known = self._request("InputParameterListRequest", {})
        defaults = cast("list[Object]", known.get("defaultParameters", []))
        if self._parameter not in [parameter["name"] for parameter in defaults]:
            self._create()

    def send(self, moment: Moment) -> None:
        """Feed the openness, and read what VTube Studio says to earlier ones."""
        value = {"id": self._parameter, "value": round(moment.slot.openness, 4)}
        connection = self._open_connection()
        connection.send(self._message("InjectParameterDataRequest", {"mode": "set", "parameterValues": [value]}))
        self._unanswered += 1
        while (answer := connection.receive(0.0)) is not None:
            self._unanswered -= 1
            _check(answer)

    def close(self) -> None:
        """Close the connection, once VTube Studio has had the time to take in what was sent."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(ReceiverError):
            while self._unanswered > 0 and connection.receive(LAST_ANSWER) is not None:
                self._unanswered -= 1
        self._unanswered = 0
        connection.close()

    def render(self, moment: Moment) -> list[str]:
        """The parameter and its value."""
        return [f"InjectParameterDataRequest {self._parameter} {round(moment.slot.openness, 4)}"]

    def _authenticate(self, token: str) -> bool:
        answer = self._request("AuthenticationRequest", {**PLUGIN, "authenticationToken": token})
        return bool(answer.get("authenticated"))

    def _ask_for_token(self, ending: Callable[[], bool]) -> str:
        if self._asked:
            raise RefusedError("VTube Studio has taken the permission back")
        self._asked = True
        log.info("%s: VTube Studio asks whether mouth-live may control it; click Allow there", self.name)
        answer = self._request("AuthenticationTokenRequest", PLUGIN, ASK_TIMEOUT, ending)
        return str(answer["authenticationToken"])

    def _create(self) -> None:
        explanation = "How open the mouth is, from 0 (closed) to 1, as mouth-live sees it"
        data = {"parameterName": self._parameter, "explanation": explanation, "min": 0, "max": 1, "defaultValue": 0}
        try:
            self._request("ParameterCreationRequest", data)
        except ReceiverError as error:
            raise RefusedError(f"cannot create the parameter {self._parameter}: {error}") from None

    def _request(
        self, kind: str, data: Object, timeout: float = 2.0, ending: Callable[[], bool] = lambda: False
    ) -> Object:
        """Ask for something; its answer's data."""
        connection = self._open_connection()
        message = self._message(kind, data)
        connection.send(message)
        while (answer := connection.receive(timeout, ending)) is not None:
            if answer.get("requestID") == message["requestID"]:
                return _check(answer)
        raise ReceiverError("something listens there, but does not answer as VTube Studio")

    def _message(self, kind: str, data: Object) -> Object:
        return {
            "apiName": "VTubeStudioPublicAPI",
            "apiVersion": "1.0",
            "requestID": f"mouth-live-{next(self._ids)}",
            "messageType": kind,
            "data": data,
        }

    def _open_connection(self) -> Connection:
        if self._connection is None:
            raise ReceiverError("is closed")
        return self._connection


def token_path(host: str, port: int) -> Path:
    """The file with VTube Studio's token, in the user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("mouth-live", appauthor=False) / f"vtube-studio-{host.replace(':', '_')}-{port}.token"


def _check(answer: Object) -> Object:
    """An answer's data.

    Raises:
        ReceiverError: it is an error.
        RefusedError: the user said no.
    """
    data: Object = answer.get("data") or {}
    if answer.get("messageType") != "APIError":
        return data
    text = str(data.get("message", "an error without words"))
    raise RefusedError(f"VTube Studio says: {text}") if data.get("errorID") == DENIED else ReceiverError(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _keep(path: Path, token: str) -> None:
    """Store the token for this user alone."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(token)
        part.replace(path)
    except OSError as error:
        log.warning("%s: cannot keep VTube Studio's token (%s); it will ask again next time", path, error.strerror)


def make(address: Address) -> Output:
    """From ``vts://HOST[:8001]?parameter=NAME``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("parameter",))
    address.no_path()
    host, port = address.need_host(8001, "vts://127.0.0.1:8001")
    parameter = address.text("parameter", PARAMETER)
    if not (parameter.isascii() and parameter.isalnum() and 4 <= len(parameter) <= 32):
        raise address.wrong(f"parameter: expected 4 to 32 letters and digits, got '{parameter}'")
    return VTubeStudio(address.name, host, port, parameter)

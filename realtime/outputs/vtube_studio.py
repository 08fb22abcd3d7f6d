"""VTube Studio: the chosen face's openness as a tracking parameter of the avatar.

Source: VTube Studio API 1.0 (github.com/DenchiSoft/VTubeStudio, README.md).
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import cast

from ...models.errors import ReceiverError, RefusedError, SinkError
from ...models.whole_file import whole_file
from .addresses import Address
from .libraries import require
from .output import Output
from .update import Update
from .websocket_client import Connection, JsonObject

log = logging.getLogger("mouth_live")

PLUGIN = {"pluginName": "mouth-live", "pluginDeveloper": "The mouth-live developers"}
PARAMETER = "MouthLiveOpen"
PARAMETER_INTERVAL = 0.5  # s; VTube Studio drops a parameter that is not sent for a second
ANSWER_TIMEOUT = 2.0  # s
PERMISSION_TIMEOUT = 600.0  # s for the user to answer VTube Studio's question
LAST_ANSWER_TIMEOUT = 0.5  # s at the end
ACCESS_DENIED = 50  # errorID: the user has denied access


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A value of a tracking parameter, 0..1."""

    parameter: str
    value: float

    def __str__(self) -> str:
        return f"InjectParameterDataRequest {self.parameter} {self.value}"


class VTubeStudio(Output):
    """Sets one parameter. VTube Studio asks its user once for permission; the token that it gives is kept."""

    heartbeat_interval = PARAMETER_INTERVAL
    newest_only = True

    def __init__(self, name: str, host: str, port: int, parameter: str) -> None:
        """Set a parameter of VTube Studio at a host and port: one of its own, or a new one."""
        self.name, self._host, self._port, self._parameter = name, host, port, parameter
        self._connection: Connection | None = None
        self._asked = False
        self._unanswered = 0  # values sent without an answer yet
        self._ids = count(1)

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "websockets.sync.client", "websockets")
        require(self.name, "platformdirs", "platformdirs")

    def open(self, is_ending: Callable[[], bool]) -> None:
        """Connect, authenticate with the stored token or request one, and create the parameter if it is new."""
        self._connection = Connection(self._host, self._port)
        path = token_path(self._host, self._port)
        token = _read(path)
        if not token or not self._authenticate(token):
            token = self._request_token(is_ending)
            _keep(path, token)
            if not self._authenticate(token):
                raise RefusedError("VTube Studio does not accept the token that it has just given")
        known = self._request("InputParameterListRequest", {})
        defaults = cast("list[JsonObject]", known.get("defaultParameters", []))
        if self._parameter not in [parameter["name"] for parameter in defaults]:
            self._create()

    def messages(self, update: Update) -> list[ParameterValue]:
        """Return the parameter and its value."""
        return [ParameterValue(self._parameter, round(update.slot.openness, 4))]

    def send(self, update: Update) -> None:
        """Set the parameter, and read the answers to earlier values."""
        values = [{"id": each.parameter, "value": each.value} for each in self.messages(update)]
        connection = self._open_connection()
        connection.send(self._message("InjectParameterDataRequest", {"mode": "set", "parameterValues": values}))
        self._unanswered += 1
        while (answer := connection.receive(0.0)) is not None:
            self._unanswered -= 1
            _check(answer)

    def close(self) -> None:
        """Close the connection when VTube Studio has had time to take what was sent."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(ReceiverError):
            while self._unanswered > 0 and connection.receive(LAST_ANSWER_TIMEOUT) is not None:
                self._unanswered -= 1
        self._unanswered = 0
        connection.close()

    def _authenticate(self, token: str) -> bool:
        answer = self._request("AuthenticationRequest", {**PLUGIN, "authenticationToken": token})
        return bool(answer.get("authenticated"))

    def _request_token(self, is_ending: Callable[[], bool]) -> str:
        if self._asked:
            raise RefusedError("VTube Studio has taken the permission back")
        self._asked = True
        log.info("%s: VTube Studio asks whether mouth-live may control it; click Allow there", self.name)
        answer = self._request("AuthenticationTokenRequest", PLUGIN, PERMISSION_TIMEOUT, is_ending)
        return str(answer["authenticationToken"])

    def _create(self) -> None:
        explanation = "How open the mouth is, from 0 (closed) to 1, as mouth-live sees it"
        data = {"parameterName": self._parameter, "explanation": explanation, "min": 0, "max": 1, "defaultValue": 0}
        try:
            self._request("ParameterCreationRequest", data)
        except ReceiverError as error:
            raise RefusedError(f"cannot create the parameter {self._parameter}: {error}") from None

    def _request(
        self,
        kind: str,
        data: JsonObject,
        timeout: float = ANSWER_TIMEOUT,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> JsonObject:
        """Send a request and return the data of its answer."""
        connection = self._open_connection()
        message = self._message(kind, data)
        connection.send(message)
        while (answer := connection.receive(timeout, is_ending)) is not None:
            if answer.get("requestID") == message["requestID"]:
                return _check(answer)
        raise ReceiverError("something listens there, but does not answer as VTube Studio")

    def _message(self, kind: str, data: JsonObject) -> JsonObject:
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
    """Return the file of VTube Studio's token, in the user's configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("mouth-live", appauthor=False) / f"vtube-studio-{host.replace(':', '_')}-{port}.token"


def _check(answer: JsonObject) -> JsonObject:
    """Return the data of an answer.

    Raises:
        ReceiverError: the answer is an error.
        RefusedError: the user has denied access.
    """
    data: JsonObject = answer.get("data") or {}
    if answer.get("messageType") != "APIError":
        return data
    text = str(data.get("message", "an error without a message"))
    raise RefusedError(f"VTube Studio says: {text}") if data.get("errorID") == ACCESS_DENIED else ReceiverError(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _keep(path: Path, token: str) -> None:
    """Store the token so that only this user can read it."""
    try:
        with whole_file(path, "; VTube Studio will ask again next time", keep_suffix=False, error=SinkError) as part:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(token)
    except SinkError as error:
        log.warning("%s", error)


def make(address: Address) -> Output:
    """Make the output of ``vts://HOST[:8001]?parameter=NAME``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("parameter",))
    address.refuse_path()
    host, port = address.host_and_port(8001, "vts://127.0.0.1:8001")
    parameter = address.text("parameter", PARAMETER)
    if not (parameter.isascii() and parameter.isalnum() and 4 <= len(parameter) <= 32):
        raise address.error(f"parameter: expected 4 to 32 letters and digits, got '{parameter}'")
    return VTubeStudio(address.name, host, port, parameter)

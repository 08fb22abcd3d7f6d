"""MQTT: events, the chosen face's state and its openness, for home automation and dashboards."""

import os
import socket
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...models.errors import ReceiverError, RefusedError
from ..lips.event_json import event_json
from .addresses import Address
from .libraries import require
from .output import Output
from .update import Slot, Update

if TYPE_CHECKING:
    from paho.mqtt.client import Client

MQTT_PASSWORD_VARIABLE = "MOUTH_LIVE_MQTT_PASSWORD"
CONNECT_TIMEOUT = 2.0  # s
KEEP_ALIVE = 10  # s without a message from us after which the broker publishes the last will
KINDS = ("activity", "open")
QUEUED = 15  # paho's code of a message that waits until the broker has acknowledged earlier ones


@dataclass(frozen=True, slots=True)
class MqttMessage:
    """One MQTT message.

    Attributes:
        topic: with the prefix.
        payload: text.
        qos: quality of service; 0: at most once, 1: at least once.
        retain: whether the broker keeps it for later subscribers.
    """

    topic: str
    payload: str
    qos: int
    retain: bool

    def __str__(self) -> str:
        return f"{self.topic} {self.payload}"


class MqttTopics(Output):
    """Topics under a prefix.

    ``event`` (JSON), ``activity`` and ``open`` (``ON`` or ``OFF`` of the chosen face, retained), ``openness`` (0..1, of
    the chosen face) and ``status`` (``online`` or ``offline``, retained). The broker publishes ``offline`` itself when
    the program is killed.
    """

    heartbeat_interval = 1.0  # to answer the broker and to notice when it is gone

    def __init__(
        self, name: str, host: str, port: int, prefix: str, values: bool, user: str | None, password: str | None
    ) -> None:
        """Publish to a broker.

        Args:
            name: the URL without its password.
            host: of the broker.
            port: its TCP port.
            prefix: of all topics.
            values: whether the openness is published.
            user: to log in as, or None.
            password: to log in with, or None.
        """
        self.name, self._host, self._port = name, host, port
        self._prefix, self._values = prefix, values
        self._user, self._password = user, password
        self._client: Client | None = None
        self._answer: Any = None  # the broker's reason code

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "paho.mqtt.client", "paho-mqtt")

    def open(self, is_ending: object) -> None:
        """Connect, log in and wait for the broker's answer."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = CONNECT_TIMEOUT
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        self._answer = None
        try:
            client.connect(self._host, self._port, KEEP_ALIVE)
        except socket.gaierror:
            raise ReceiverError(f"no host is called '{self._host}'") from None
        self._client = client
        connection = client.socket()
        if isinstance(connection, socket.socket):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = monotonic() + CONNECT_TIMEOUT
        while self._answer is None and monotonic() < until and client.loop(0.05) == 0:
            pass
        if self._answer is None:
            raise ReceiverError("something listens there, but does not answer as an MQTT broker")
        if self._answer.is_failure:
            text = f"the broker says: {self._answer}"
            raise RefusedError(text) if "uthor" in text or "password" in text else ReceiverError(text)
        self._publish(self._message("status", "online", retain=True))

    def messages(self, update: Update) -> list[MqttMessage]:
        """Return the events, then the states that changed, then the openness."""
        slot, previous = update.slot, update.previous
        found = [self._message("event", event_json(event), retain=False) for event in update.events]
        for kind in KINDS:
            if previous is None or (kind in previous.ongoing) != (kind in slot.ongoing):
                found.append(self._message(kind, "ON" if kind in slot.ongoing else "OFF", retain=True))
        if self._values and (update.values or slot == Slot()):
            found.append(self._message("openness", f"{slot.openness:.4f}", qos=0, retain=False))
        return found

    def send(self, update: Update) -> None:
        """Publish."""
        for message in self.messages(update):
            self._publish(message)
        self._loop(0)

    def close(self) -> None:
        """Publish ``offline`` and wait a little until the broker has everything."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.is_connected():
            last = client.publish(f"{self._prefix}/status", "offline", qos=1, retain=True)
            until = monotonic() + 1.0
            while not last.is_published() and monotonic() < until and client.loop(0.05) == 0:
                pass
            client.disconnect()
            client.loop(0)

    def _message(self, topic: str, payload: str, *, qos: int = 1, retain: bool) -> MqttMessage:
        return MqttMessage(f"{self._prefix}/{topic}", payload, qos, retain)

    def _publish(self, message: MqttMessage) -> None:
        if self._client is None:
            raise ReceiverError("is closed")
        done = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if done.rc not in (0, QUEUED):
            raise ReceiverError("the broker has gone")

    def _loop(self, timeout: float) -> None:
        if self._client is None or self._client.loop(timeout) != 0:
            raise ReceiverError("the broker has gone")

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self._answer = reason


def make(address: Address) -> Output:
    """Make the output of ``mqtt://[USER[:PASSWORD]@]HOST[:1883][/PREFIX]?values=yes|no``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values",))
    host, port = address.host_and_port(1883, "mqtt://127.0.0.1:1883")
    prefix = address.path.strip("/") or "mouth-live"
    if set(prefix) & set("+#\0"):
        raise address.error(f"a topic has no + or #, got '{prefix}'")
    password = address.password or os.environ.get(MQTT_PASSWORD_VARIABLE)
    return MqttTopics(address.name, host, port, prefix, address.flag("values", default=True), address.user, password)

"""MQTT: events, the chosen face's state and its openness, for home automation and dashboards."""

import os
import socket
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...models.errors import ReceiverError, RefusedError
from .addresses import Address
from .json_lines import event_json
from .libraries import require
from .moments import Moment, Slot
from .output import Output

if TYPE_CHECKING:
    from paho.mqtt.client import Client

PASSWORD_VARIABLE = "MOUTH_LIVE_MQTT_PASSWORD"
CONNECT_TIMEOUT = 2.0  # s
KEEP_ALIVE = 10  # s without a word from us after which the broker publishes the last will
KINDS = ("activity", "open")


class MqttTopics(Output):
    """Topics under a prefix.

    ``event`` (JSON, as in the contract), ``activity`` and ``open`` (``ON`` or ``OFF`` of the chosen face, retained),
    ``openness`` (0..1, of the chosen face) and ``status`` (``online`` or ``offline``, retained). The broker says
    ``offline`` itself when the program is killed.
    """

    heartbeat = 1.0  # to answer the broker and to notice when it has gone

    def __init__(
        self, name: str, host: str, port: int, prefix: str, values: bool, user: str | None, password: str | None
    ) -> None:
        """Say where to.

        Args:
            name: the URL without its password.
            host: broker.
            port: its TCP port.
            prefix: of all topics.
            values: whether the openness is published.
            user: to log in as, or None.
            password: or None.
        """
        self.name, self._host, self._port = name, host, port
        self._prefix, self._values = prefix, values
        self._user, self._password = user, password
        self._client: Client | None = None
        self._answer: Any = None  # the broker's reason code
        self._sent: dict[str, str] = {}  # topic: retained payload that the broker has

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "paho.mqtt.client", "paho-mqtt")

    def open(self, ending: object) -> None:
        """Connect and wait for the broker's yes."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        client = Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = CONNECT_TIMEOUT
        if self._user is not None:
            client.username_pw_set(self._user, self._password)
        client.will_set(f"{self._prefix}/status", "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        self._answer, self._sent = None, {}
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
        self._publish("status", "online", qos=1, retain=True)

    def send(self, moment: Moment) -> None:
        """Publish."""
        for topic, payload in self._payloads(moment):
            if topic == "openness":
                self._publish(topic, payload, qos=0, retain=False)
            else:
                self._publish(topic, payload, qos=1, retain=topic != "event")
                if topic != "event":
                    self._sent[topic] = payload
        self._loop(0)

    def close(self) -> None:
        """Say ``offline`` and wait a little until the broker has it all."""
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

    def render(self, moment: Moment) -> list[str]:
        """Topics and payloads."""
        payloads = self._payloads(moment)
        self._sent |= {topic: payload for topic, payload in payloads if topic in KINDS}
        return [f"{self._prefix}/{topic} {payload}" for topic, payload in payloads]

    def _payloads(self, moment: Moment) -> list[tuple[str, str]]:
        """(topic below the prefix, payload); states only where they changed."""
        found = [("event", event_json(event)) for event in moment.events]
        states = {kind: "ON" if kind in moment.slot.running else "OFF" for kind in KINDS}
        found += [(topic, payload) for topic, payload in states.items() if self._sent.get(topic) != payload]
        if self._values and (moment.values or moment.slot == Slot()):
            found.append(("openness", f"{moment.slot.openness:.4f}"))
        return found

    def _publish(self, topic: str, payload: str, qos: int, retain: bool) -> None:
        if self._client is None:
            raise ReceiverError("is closed")
        done = self._client.publish(f"{self._prefix}/{topic}", payload, qos, retain)
        if done.rc not in (0, 15):  # 15: waits for the broker's word on earlier ones
            raise ReceiverError("the broker has gone")

    def _loop(self, timeout: float) -> None:
        if self._client is None or self._client.loop(timeout) != 0:
            raise ReceiverError("the broker has gone")

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self._answer = reason


def make(address: Address) -> Output:
    """From ``mqtt://[USER[:PASSWORD]@]HOST[:1883][/PREFIX]?values=yes|no``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.check_options(("values",))
    host, port = address.need_host(1883, "mqtt://127.0.0.1:1883")
    prefix = address.path.strip("/") or "mouth-live"
    if set(prefix) & set("+#\0"):
        raise address.wrong(f"a topic has no + or #, got '{prefix}'")
    password = address.password or os.environ.get(PASSWORD_VARIABLE)
    return MqttTopics(address.name, host, port, prefix, address.flag("values", default=True), address.user, password)

"""OSC: the chosen face's openness to VRChat, Project Babble's listeners and whatever takes OSC; VMC for VRM avatars.

Source: OSC 1.0 specification; VMC protocol specification (protocol.vmc.info); VRChat OSC documentation.
"""

from dataclasses import dataclass
from typing import Literal

from .addresses import Address
from .datagrams import Datagrams
from .libraries import require
from .moments import Moment
from .output import Output

AGAIN = 1.0  # s after which the last state is sent again: datagrams may be lost, a receiver may start later


@dataclass(frozen=True, slots=True)
class Preset:
    """Where an app expects the openness."""

    port: int
    address: str


PRESETS = {
    "vrchat": Preset(9000, "/avatar/parameters/v2/JawOpen"),
    "babble": Preset(8888, "/jawOpen"),
}

Argument = float | int | str


@dataclass(frozen=True, slots=True)
class Message:
    """One OSC message: its address and its arguments, a type tag (``f``, ``i`` or ``s``) with each."""

    address: str
    arguments: tuple[tuple[Literal["f", "i", "s"], Argument], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.address, *(str(value) for _, value in self.arguments)])


class OscOutput(Output):
    """Messages in UDP datagrams, one for each frame's state. A subclass says which."""

    heartbeat = AGAIN
    newest_only = True

    def __init__(self, name: str, host: str, port: int) -> None:
        """Say where to."""
        self.name = name
        self._datagrams = Datagrams(host, port)

    def prepare(self) -> None:
        """Look for the library."""
        require(self.name, "pythonosc.osc_bundle_builder", "python-osc")

    def open(self, ending: object) -> None:
        """Make the socket."""
        self._datagrams.open()

    def send(self, moment: Moment) -> None:
        """Send the state."""
        self._datagrams.send(packet(self.messages(moment)))

    def close(self) -> None:
        """Close the socket."""
        self._datagrams.close()

    def render(self, moment: Moment) -> list[str]:
        """The messages."""
        return [str(message) for message in self.messages(moment)]

    def messages(self, moment: Moment) -> list[Message]:
        """What to send."""
        raise NotImplementedError


class OscValues(OscOutput):
    """The openness at one address, and where wanted the events' state at others."""

    def __init__(self, name: str, host: str, port: int, openness: str, states: dict[str, str]) -> None:
        """Say where to.

        Args:
            name: the URL.
            host: receiver.
            port: its UDP port.
            openness: OSC address of the openness, 0..1 as a float.
            states: OSC address of a kind of event: 1 while it is on, else 0, as an integer.
        """
        super().__init__(name, host, port)
        self._openness, self._states = openness, states

    def messages(self, moment: Moment) -> list[Message]:
        """The openness, then the states."""
        states = [
            Message(address, (("i", int(kind in moment.slot.running)),)) for kind, address in self._states.items()
        ]
        return [Message(self._openness, (("f", round(moment.slot.openness, 4)),)), *states]


class VmcBlend(OscOutput):
    """A VRM avatar's blend shape."""

    def __init__(self, name: str, host: str, port: int, blend: str) -> None:
        """Say where to, and the blend shape's name."""
        super().__init__(name, host, port)
        self._blend = blend

    def messages(self, moment: Moment) -> list[Message]:
        """The value, then the word to apply it."""
        value = Message("/VMC/Ext/Blend/Val", (("s", self._blend), ("f", round(moment.slot.openness, 4))))
        return [value, Message("/VMC/Ext/Blend/Apply")]


def packet(messages: list[Message]) -> bytes:
    """The messages as one datagram: a message alone, several as a bundle to be taken at once."""
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder

    bundle = OscBundleBuilder(IMMEDIATELY)
    for message in messages:
        builder = OscMessageBuilder(message.address)
        for tag, value in message.arguments:
            builder.add_arg(value, tag)
        built = builder.build()
        if len(messages) == 1:
            return built.dgram
        bundle.add_content(built)
    return bundle.build().dgram


def make(address: Address) -> Output:
    """From ``osc://HOST:PORT?preset=vrchat|babble``, or ``&address=``, ``&prefix=``; ``vmc://HOST:PORT?blend=A``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.no_path()
    if address.scheme == "vmc":
        address.check_options(("blend",))
        host, port = address.need_host(39539, "vmc://127.0.0.1:39539")
        return VmcBlend(address.name, host, port, address.text("blend", "A"))
    address.check_options(("preset", "address", "prefix", "activity", "open"))
    preset = _preset(address)
    host, port = address.need_host(preset.port if preset else None, "osc://127.0.0.1:9000")
    prefix = _osc_address(address, "prefix", "" if preset else "/mouth").rstrip("/")
    openness = prefix + _osc_address(address, "address", preset.address if preset else "/openness")
    states = {kind: _osc_address(address, kind, "" if preset else f"/{kind}") for kind in ("activity", "open")}
    return OscValues(address.name, host, port, openness, {k: prefix + where for k, where in states.items() if where})


def _preset(address: Address) -> Preset | None:
    name = address.options.get("preset")
    if name is None:
        return None
    if name not in PRESETS:
        raise address.wrong(f"preset: expected {' or '.join(PRESETS)}, got '{name}'")
    return PRESETS[name]


def _osc_address(address: Address, option: str, default: str) -> str:
    value = address.text(option, default)
    if value and (not value.startswith("/") or set(value) & set(" #*,?[]{}") or not value.isascii()):
        raise address.wrong(f"{option}: expected an OSC address such as /mouth/openness, got '{value}'")
    return value

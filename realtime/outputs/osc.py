"""OSC: the chosen face's openness for VRChat, Project Babble's listeners and other OSC apps; VMC for VRM avatars.

Source: OSC 1.0 specification; VMC protocol specification (protocol.vmc.info); VRChat OSC documentation.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .addresses import Address
from .libraries import require
from .output import Output
from .udp_sender import UdpSender
from .update import Update

RESEND_INTERVAL = 1.0  # s; datagrams may be lost, and a receiver may start later


@dataclass(frozen=True, slots=True)
class OscPreset:
    """The port and the OSC address at which an app expects the openness, as a float 0..1."""

    port: int
    address: str


OSC_PRESETS = {
    "vrchat": OscPreset(9000, "/avatar/parameters/v2/JawOpen"),
    "babble": OscPreset(8888, "/jawOpen"),
}

Argument = float | int | str


@dataclass(frozen=True, slots=True)
class OscMessage:
    """One OSC message: its address and its arguments, each with its type tag (``f``, ``i`` or ``s``)."""

    address: str
    arguments: tuple[tuple[Literal["f", "i", "s"], Argument], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.address, *(str(value) for _, value in self.arguments)])


class OscOutput(Output):
    """OSC messages of the chosen face, one UDP datagram for each update. A subclass makes the messages."""

    heartbeat_interval = RESEND_INTERVAL
    newest_only = True
    acknowledges = False

    def __init__(self, name: str, host: str, port: int) -> None:
        """Send to a host and port."""
        self.name = name
        self._sender = UdpSender(host, port)

    def prepare(self) -> None:
        """Load the library."""
        require(self.name, "pythonosc.osc_bundle_builder", "python-osc")

    def open(self, is_ending: object) -> None:
        """Create the socket."""
        self._sender.open()

    @abstractmethod
    def messages(self, update: Update) -> Sequence[OscMessage]:
        """Return the messages of one datagram."""

    def send(self, update: Update) -> None:
        """Send the messages."""
        self._sender.send(packet(self.messages(update)))

    def close(self) -> None:
        """Close the socket."""
        self._sender.close()


class OscValues(OscOutput):
    """The openness at one OSC address, and the state of events at others."""

    def __init__(self, name: str, host: str, port: int, openness: str, states: dict[str, str]) -> None:
        """Send to a host and port.

        Args:
            name: the URL.
            host: of the receiver.
            port: its UDP port.
            openness: OSC address of the openness, a float 0..1.
            states: OSC address of each kind of event, an integer: 1 while it is on, else 0.
        """
        super().__init__(name, host, port)
        self._openness, self._states = openness, states

    def messages(self, update: Update) -> list[OscMessage]:
        """Return the openness, then the states."""
        ongoing = update.slot.ongoing
        states = [OscMessage(address, (("i", int(kind in ongoing)),)) for kind, address in self._states.items()]
        return [OscMessage(self._openness, (("f", round(update.slot.openness, 4)),)), *states]


class VmcBlend(OscOutput):
    """A VRM avatar's blend shape."""

    def __init__(self, name: str, host: str, port: int, blend: str) -> None:
        """Send a blend shape of this name to a host and port."""
        super().__init__(name, host, port)
        self._blend = blend

    def messages(self, update: Update) -> list[OscMessage]:
        """Return the value, then the command to apply it."""
        value = OscMessage("/VMC/Ext/Blend/Val", (("s", self._blend), ("f", round(update.slot.openness, 4))))
        return [value, OscMessage("/VMC/Ext/Blend/Apply")]


def packet(messages: Sequence[OscMessage]) -> bytes:
    """Return the messages as one datagram: one as it is, several as a bundle that is applied at once."""
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
    """Make the output of ``osc://HOST:PORT?preset=vrchat|babble&address=&prefix=`` or ``vmc://HOST:PORT?blend=A``.

    Raises:
        UsageError: the URL is wrong.
    """
    address.refuse_path()
    if address.scheme == "vmc":
        address.check_options(("blend",))
        host, port = address.host_and_port(39539, "vmc://127.0.0.1:39539")
        return VmcBlend(address.name, host, port, address.text("blend", "A"))
    address.check_options(("preset", "address", "prefix", "activity", "open"))
    preset = _preset(address)
    host, port = address.host_and_port(preset.port if preset else None, "osc://127.0.0.1:9000")
    prefix = _osc_address(address, "prefix", "" if preset else "/mouth").rstrip("/")
    # An address that is given is sent as it is; the prefix is for those that are not.
    openness = _osc_address(address, "address", prefix + (preset.address if preset else "/openness"))
    states = {kind: _osc_address(address, kind, "" if preset else f"{prefix}/{kind}") for kind in ("activity", "open")}
    return OscValues(address.name, host, port, openness, {kind: where for kind, where in states.items() if where})


def _preset(address: Address) -> OscPreset | None:
    name = address.options.get("preset")
    if name is None:
        return None
    if name not in OSC_PRESETS:
        raise address.error(f"preset: expected {' or '.join(OSC_PRESETS)}, got '{name}'")
    return OSC_PRESETS[name]


def _osc_address(address: Address, option: str, default: str) -> str:
    value = address.text(option, default)
    if value and (not value.startswith("/") or set(value) & set(" #*,?[]{}") or not value.isascii()):
        raise address.error(f"{option}: expected an OSC address such as /mouth/openness, got '{value}'")
    return value

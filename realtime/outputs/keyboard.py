"""A key held down while the chosen face's lips are active: push-to-talk, a switch, a game's button."""

from typing import Any

from ...models.errors import ReceiverError, SinkError
from .addresses import Address
from .libraries import require
from .moments import Moment
from .output import Output

# Named keys, as pynput names them; other keys are named by their character.
NAMED = (
    "alt", "alt_gr", "alt_l", "alt_r", "backspace", "caps_lock", "cmd", "cmd_l", "cmd_r", "ctrl", "ctrl_l", "ctrl_r",
    "delete", "down", "end", "enter", "esc", *(f"f{n}" for n in range(1, 21)), "home", "insert", "left",
    "media_next", "media_play_pause", "media_previous", "media_volume_down", "media_volume_mute", "media_volume_up",
    "menu", "num_lock", "page_down", "page_up", "pause", "print_screen", "right", "scroll_lock", "shift", "shift_l",
    "shift_r", "space", "tab", "up",
)  # fmt: skip


class HeldKey(Output):
    """Holds a key, or several at once, while a kind of event is on; released whatever happens."""

    def __init__(self, name: str, keys: tuple[str, ...], kind: str) -> None:
        """Say which keys, pressed in this order, and while which kind of event is on."""
        self.name, self._keys, self._kind = name, keys, kind
        self._controller: Any = None
        self._pressed: list[Any] = []
        self._shown = False

    def prepare(self) -> None:
        """Load the library, which looks for a display."""
        try:
            require(self.name, "pynput.keyboard", "pynput", "keys")
        except ImportError:
            raise SinkError(
                f"{self.name}: no display to press keys on; start mouth-live in a desktop session"
            ) from None

    def open(self, ending: object) -> None:
        """Connect to the display."""
        from pynput.keyboard import Controller  # pyright: ignore[reportMissingTypeStubs]

        try:
            self._controller = Controller()
        except Exception as error:  # noqa: BLE001  pynput passes its platform's own exceptions on
            raise ReceiverError(f"the display does not answer ({error})") from None

    def send(self, moment: Moment) -> None:
        """Press or release."""
        wanted = self._kind in moment.slot.running
        try:
            if wanted and not self._pressed:
                for key in self._keys:
                    self._pressed.append(_native(key))
                    self._controller.press(self._pressed[-1])
            elif not wanted:
                self._release()
        except Exception as error:  # noqa: BLE001
            raise ReceiverError(f"the display does not take the key ({error})") from None

    def close(self) -> None:
        """Release."""
        try:
            self._release()
        except Exception:  # noqa: BLE001  the display has gone, and with it the pressed key
            self._pressed.clear()

    def render(self, moment: Moment) -> list[str]:
        """Press or release, where that changes."""
        wanted = self._kind in moment.slot.running
        if wanted == self._shown:
            return []
        self._shown = wanted
        return [f"{'press' if wanted else 'release'} {'+'.join(self._keys)}"]

    def _release(self) -> None:
        while self._pressed:
            self._controller.release(self._pressed[-1])
            self._pressed.pop()


def _native(key: str) -> Any:  # noqa: ANN401
    """Pynput's key of this name."""
    from pynput.keyboard import Key, KeyCode  # pyright: ignore[reportMissingTypeStubs]

    return getattr(Key, key) if key in NAMED else KeyCode.from_char(key)


def make(address: Address) -> Output:
    """From ``key:space``, ``key:m``, ``key:ctrl+shift+m``, with ``?kind=activity|open``.

    Raises:
        UsageError: no such key.
    """
    address.check_options(("kind",))
    text = address.path
    keys = ("+",) if text == "+" else tuple(text.split("+"))
    for key in keys:
        if key not in NAMED and not (len(key) == 1 and key.isprintable() and key != " "):
            raise address.wrong(f"no key is called '{key}'; a character, or one of: {', '.join(NAMED)}")
    return HeldKey(address.name, keys, address.event_kind())

"""A key held down while the chosen face's lips are active: push-to-talk, a switch, a game's button."""

from typing import Any

from ...models.errors import ReceiverError, SinkError
from .addresses import Address
from .libraries import require
from .output import Output
from .update import Update

# The keys that have a name, as pynput names them; other keys are named by their character.
KEY_NAMES = (
    "alt", "alt_gr", "alt_l", "alt_r", "backspace", "caps_lock", "cmd", "cmd_l", "cmd_r", "ctrl", "ctrl_l", "ctrl_r",
    "delete", "down", "end", "enter", "esc", *(f"f{n}" for n in range(1, 21)), "home", "insert", "left",
    "media_next", "media_play_pause", "media_previous", "media_volume_down", "media_volume_mute", "media_volume_up",
    "menu", "num_lock", "page_down", "page_up", "pause", "print_screen", "right", "scroll_lock", "shift", "shift_l",
    "shift_r", "space", "tab", "up",
)  # fmt: skip


class HeldKey(Output):
    """Holds a key, or several at once, while a kind of event is on, and releases them whatever happens."""

    def __init__(self, name: str, keys: tuple[str, ...], kind: str) -> None:
        """Press these keys in this order while this kind of event is on."""
        self.name, self._keys, self._kind = name, keys, kind
        self._controller: Any = None
        self._pressed: list[Any] = []

    def prepare(self) -> None:
        """Load the library, which connects to the display."""
        try:
            require(self.name, "pynput.keyboard", "pynput", "keys")
        except ImportError:
            raise SinkError(
                f"{self.name}: no display to press keys on; start mouth-live in a desktop session"
            ) from None

    def open(self, is_ending: object) -> None:
        """Connect to the display."""
        from pynput.keyboard import Controller  # pyright: ignore[reportMissingTypeStubs]

        try:
            self._controller = Controller()
        except Exception as error:  # noqa: BLE001  pynput raises its platform's own exceptions
            raise ReceiverError(f"the display does not answer ({error})") from None

    def messages(self, update: Update) -> list[str]:
        """Return whether the keys are pressed or released; nothing where that stays."""
        wanted = self._kind in update.slot.ongoing
        if wanted == (update.previous is not None and self._kind in update.previous.ongoing):
            return []
        return [f"{'press' if wanted else 'release'} {'+'.join(self._keys)}"]

    def send(self, update: Update) -> None:
        """Press or release."""
        wanted = self._kind in update.slot.ongoing
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
        """Release the keys."""
        try:
            self._release()
        except Exception:  # noqa: BLE001  the display is gone, and with it the pressed key
            self._pressed.clear()

    def _release(self) -> None:
        while self._pressed:
            self._controller.release(self._pressed[-1])
            self._pressed.pop()


def _native(key: str) -> Any:  # noqa: ANN401
    """Return pynput's key of this name."""
    from pynput.keyboard import Key, KeyCode  # pyright: ignore[reportMissingTypeStubs]

    return getattr(Key, key) if key in KEY_NAMES else KeyCode.from_char(key)


def make(address: Address) -> Output:
    """Make the output of ``key:space``, ``key:m``, ``key:ctrl+shift+m``, with ``?kind=activity|open``.

    Raises:
        UsageError: no such key.
    """
    address.check_options(("kind",))
    text = address.path
    keys = ("+",) if text == "+" else tuple(text.split("+"))
    for key in keys:
        if key not in KEY_NAMES and not (len(key) == 1 and key.isprintable() and key != " "):
            raise address.error(f"no key is called '{key}'; a character, or one of: {', '.join(KEY_NAMES)}")
    return HeldKey(address.name, keys, address.event_kind())

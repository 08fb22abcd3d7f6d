"""A key that follows the chosen face's lips: held down, tapped or toggled. Push-to-talk, a switch, a game's button."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from ...models.errors import ReceiverError, SinkError
from .addresses import Address
from .key_repeat import RepeatSwitch
from .libraries import require
from .output import Output
from .update import Update

Mode = Literal["hold", "tap", "toggle"]
MODES: tuple[Mode, ...] = get_args(Mode)

# The keys that have a name, as pynput names them; other keys are named by their character.
KEY_NAMES = (
    "alt", "alt_gr", "alt_l", "alt_r", "backspace", "caps_lock", "cmd", "cmd_l", "cmd_r", "ctrl", "ctrl_l", "ctrl_r",
    "delete", "down", "end", "enter", "esc", *(f"f{n}" for n in range(1, 21)), "home", "insert", "left",
    "media_next", "media_play_pause", "media_previous", "media_volume_down", "media_volume_mute", "media_volume_up",
    "menu", "num_lock", "page_down", "page_up", "pause", "print_screen", "right", "scroll_lock", "shift", "shift_l",
    "shift_r", "space", "tab", "up",
)  # fmt: skip


class LipKey(Output):
    """Presses a key, or several at once, as a kind of event starts and stops, and releases them whatever happens."""

    def __init__(self, name: str, keys: tuple[str, ...], kind: str, mode: Mode = "hold") -> None:
        """Prepare the output; nothing is pressed yet.

        Args:
            name: the URL.
            keys: the keys, pressed in this order.
            kind: the kind of event that they follow.
            mode: ``"hold"`` holds them down while the event is on; ``"tap"`` presses and releases them once at its
                start; ``"toggle"`` once at its start and once at its stop.
        """
        self.name, self._keys, self._kind, self._mode = name, keys, kind, mode
        self._controller: Any = None
        self._repeat: RepeatSwitch | None = None
        self._pressed: list[Any] = []
        self._is_toggled = False

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
            self._repeat = RepeatSwitch(self._controller)
        except Exception as error:  # noqa: BLE001  pynput raises its platform's own exceptions
            raise ReceiverError(f"the display does not answer ({error})") from None

    def messages(self, update: Update) -> list[str]:
        """Return what is pressed or released; nothing where nothing changes."""
        wanted = self._kind in update.slot.ongoing
        if wanted == (update.previous is not None and self._kind in update.previous.ongoing):
            return []
        keys = "+".join(self._keys)
        if self._mode == "hold":
            return [f"{'press' if wanted else 'release'} {keys}"]
        return [f"tap {keys}"] if wanted or self._mode == "toggle" else []

    def send(self, update: Update) -> None:
        """Press and release."""
        wanted = self._kind in update.slot.ongoing
        try:
            if self._mode == "hold":
                self._hold(wanted)
            elif self.messages(update):
                self._tap()
                self._is_toggled = wanted and self._mode == "toggle"
        except Exception as error:  # noqa: BLE001
            raise ReceiverError(f"the display does not take the key ({error})") from None

    def close(self) -> None:
        """Release the keys; toggle back what is toggled."""
        try:
            if self._is_toggled:
                self._tap()
            self._release()
        except Exception:  # noqa: BLE001  the display is gone, and with it the pressed key
            self._pressed.clear()
        self._is_toggled = False
        if self._repeat is not None:
            self._repeat.close()
            self._repeat = None

    def _hold(self, wanted: bool) -> None:
        if not wanted:
            self._release()
        elif not self._pressed:
            keys = [_native(key) for key in self._keys]
            if self._repeat is not None:
                self._repeat.off(keys)
            self._press(keys)

    def _tap(self) -> None:
        self._press([_native(key) for key in self._keys])
        self._release()

    def _press(self, keys: Sequence[Any]) -> None:
        for key in keys:
            self._pressed.append(key)
            self._controller.press(key)

    def _release(self) -> None:
        while self._pressed:
            self._controller.release(self._pressed[-1])
            self._pressed.pop()
        if self._repeat is not None:
            self._repeat.on()


def _native(key: str) -> Any:  # noqa: ANN401
    """Return pynput's key of this name."""
    from pynput.keyboard import Key, KeyCode  # pyright: ignore[reportMissingTypeStubs]

    return getattr(Key, key) if key in KEY_NAMES else KeyCode.from_char(key)


def make(address: Address) -> Output:
    """Make the output of ``key:space``, ``key:m``, ``key:ctrl+shift+m``, with ``?mode=hold|tap|toggle&kind=``.

    Raises:
        UsageError: no such key.
    """
    address.check_options(("kind", "mode"))
    text = address.path
    keys = ("+",) if text == "+" else tuple(text.split("+"))
    for key in keys:
        if key not in KEY_NAMES and not (len(key) == 1 and key.isprintable() and key != " "):
            raise address.error(f"no key is called '{key}'; a character, or one of: {', '.join(KEY_NAMES)}")
    mode = address.options.get("mode", "hold")
    if mode not in MODES:
        raise address.error(f"mode: expected {', '.join(MODES)}, got '{mode}'")
    return LipKey(address.name, keys, address.event_kind(), mode)

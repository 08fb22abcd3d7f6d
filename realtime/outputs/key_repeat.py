"""Hold a key without the repeated presses that the X server makes of it. Other systems do not repeat a key so held."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any


class RepeatSwitch:
    """Switches the repetition of single keys off on an X server, and on again."""

    def __init__(self, controller: object) -> None:
        """Connect to the X server that a pynput controller presses keys on; do nothing on another system."""
        self._display: Any = None
        self._off: list[int] = []
        if type(controller).__module__.endswith("._xorg"):
            from Xlib import display  # pyright: ignore[reportMissingTypeStubs]  # pynput brings it

            self._display = display.Display()

    def off(self, keys: Sequence[Any]) -> None:
        """Switch the repetition of these keys off, pynput's; those without it stay so afterwards too."""
        if self._display is None:
            return
        repeats = self._display.get_keyboard_control().auto_repeats
        for code in map(self._code, keys):
            if code and repeats[code // 8] & (1 << code % 8):
                self._set(code, on=False)
                self._off.append(code)
        self._display.sync()

    def on(self) -> None:
        """Switch on again what was switched off."""
        while self._off:
            self._set(self._off.pop(), on=True)
        if self._display is not None:
            self._display.sync()

    def close(self) -> None:
        """Switch on again what was switched off, and end the connection."""
        with suppress(Exception):  # the server is gone, and with it the state of its keys
            self.on()
            if self._display is not None:
                self._display.close()
        self._display = None

    def _code(self, key: Any) -> int:  # noqa: ANN401
        """Return the X server's code of a key; 0 where it has none."""
        from Xlib import XK  # pyright: ignore[reportMissingTypeStubs]

        code = getattr(key, "value", key)  # of a named key its KeyCode
        symbol = code.vk or XK.string_to_keysym(code.char or "") or ord(code.char or "\0")
        return int(self._display.keysym_to_keycode(symbol))

    def _set(self, code: int, on: bool) -> None:
        from Xlib import X  # pyright: ignore[reportMissingTypeStubs]

        mode = X.AutoRepeatModeOn if on else X.AutoRepeatModeOff
        self._display.change_keyboard_control(key=code, auto_repeat_mode=mode)

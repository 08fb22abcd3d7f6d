"""The check for a display to show a window on."""

import os
import socket
import sys
from pathlib import Path

from ....models.errors import SinkError

X11_SOCKETS = "/tmp/.X11-unix/X"  # the path where X servers listen by convention, without the display's number
CONNECT_TIMEOUT = 2.0  # s


def display_problem(advice: str = "use --no-window, or mouth-live process for a recording") -> SinkError | None:
    """Return why no window can be shown; None if one can.

    Call it before a window is opened: OpenCV ends the whole process where it cannot open one.

    Args:
        advice: what the user can do instead, for the message.
    """
    if not sys.platform.startswith("linux"):
        return None
    display = os.environ.get("DISPLAY", "")
    if not display:
        # OpenCV's Linux package contains only the X11 part of Qt; a Wayland session sets DISPLAY through XWayland.
        where = "only Wayland, which needs XWayland" if os.environ.get("WAYLAND_DISPLAY") else "DISPLAY is not set"
        return SinkError(f"no display for the window ({where}); {advice}")
    if not _is_listening(display):
        return SinkError(f"no display for the window (nothing answers at DISPLAY={display}); {advice}")
    return None


def _is_listening(display: str) -> bool:
    """Return whether an X server listens at ``[host]:number[.screen]``."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdecimal():
        return False
    if host in ("", "unix") or host.startswith("/"):
        path = display if host.startswith("/") and Path(display).is_socket() else X11_SOCKETS + number
        return any(_can_connect(socket.AF_UNIX, address) for address in (path, "\0" + path))
    return _can_connect(socket.AF_INET, (host.removeprefix("tcp/"), 6000 + int(number)))


def _can_connect(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True

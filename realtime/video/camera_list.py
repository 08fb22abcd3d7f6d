"""The cameras of this machine: their indexes, names and devices, and what to say where there is none."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2

from ...models.errors import SourceError

# Cameras are listed and opened through the same backend, so that an index means the same camera.
_CAPTURE_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
CAPTURE_BACKEND = _CAPTURE_BACKENDS.get(sys.platform, cv2.CAP_ANY)
_DEVICES = Path("/dev")
_V4L_FOLDER = Path("/sys/class/video4linux")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this machine: OpenCV's index, its name, and its device path (empty where there is none)."""

    index: int
    name: str
    path: str


def list_cameras() -> list[Camera]:
    """Return the cameras that the system names, ordered by index.

    Without the extra ``cameras`` this works on Linux only, and elsewhere returns an empty list.
    """
    try:
        import cv2_enumerate_cameras  # pyright: ignore[reportMissingImports]
    except ImportError:
        return _linux_cameras()
    found = cast("Any", cv2_enumerate_cameras).enumerate_cameras(CAPTURE_BACKEND)
    return sorted((Camera(int(c.index), str(c.name), str(c.path or "")) for c in found), key=lambda c: c.index)


def _linux_cameras() -> list[Camera]:
    if not sys.platform.startswith("linux") or not _V4L_FOLDER.is_dir():
        return []
    nodes = [node for node in _V4L_FOLDER.iterdir() if node.name.removeprefix("video").isdecimal()]
    cameras = [
        Camera(int(node.name.removeprefix("video")), (node / "name").read_text().strip(), f"/dev/{node.name}")
        for node in nodes
        if _is_capture_node(node) and (node / "name").is_file()
    ]
    return sorted(cameras, key=lambda c: c.index)


def _is_capture_node(node: Path) -> bool:
    """Return whether this is a camera's first node; the others carry metadata or the same pictures."""
    index = node / "index"
    return not index.is_file() or index.read_text().strip() == "0"


def refuse_missing_camera(index: int) -> None:
    """Refuse a camera that is surely not there, without opening it. Only Linux can tell.

    Raises:
        SourceError: there is no such camera.
    """
    if sys.platform.startswith("linux") and not Path(f"/dev/video{index}").exists():
        raise SourceError(no_camera(index))


def no_camera(index: int) -> str:
    """Return what to do where there is no camera of this index."""
    if list_cameras():
        return f"no camera {index}; {available_cameras()}"
    return f"no camera {index}; {available_cameras()}; try mouth-live demo, or a file: mouth-live --camera talk.mp4"


def available_cameras() -> str:
    """Return the cameras that there are, or where they were looked for, for a message."""
    cameras = list_cameras()
    if not cameras:
        return f"no camera was found on this machine{_looked_for()}"
    return "available: " + ", ".join(f"{c.index} {c.name!r}" for c in cameras)


def _looked_for() -> str:
    """Return where Linux was searched for cameras, in words; empty on other systems."""
    if not sys.platform.startswith("linux"):
        return ""
    nodes = sorted(str(node) for node in _DEVICES.glob("video*"))
    return f" (not cameras: {', '.join(nodes)})" if nodes else f" (looked for {_DEVICES}/video*)"

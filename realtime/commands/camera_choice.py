"""The cameras that a live page may choose from: those of this machine, and what the user named at the command line."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from ...models.errors import MouthLiveError
from ..session import Session
from ..system.threads import new_thread
from ..video.camera_list import Camera, list_cameras
from ..video.cameras import LiveCamera, address_name, find_source
from ..video.sources import VideoSource

log = logging.getLogger("mouth_live")


Opener = Callable[[int | str], VideoSource]


@dataclass(frozen=True, slots=True)
class Choice:
    """A source to choose.

    Attributes:
        key: what a page asks for.
        name: what it shows.
        source: what is opened, as :func:`.open_camera` takes it.
    """

    key: str
    name: str
    source: int | str


class CameraChoice:
    """Switches a running session to another source. Any thread may call its methods."""

    def __init__(self, session: Session, named: Sequence[str], opener: Opener) -> None:
        """Begin with the first of the named sources, which the session has open.

        Args:
            session: the running session.
            named: the sources of the command line.
            opener: opens a source; it may raise a MouthLiveError.

        Raises:
            SourceError: one of the named sources does not exist.
        """
        self._session, self._opener = session, opener
        self._named = [_named(number, source) for number, source in enumerate(named)]
        self._choices = listed(self._named)
        self._current = self._choices[0]
        self._opening: Choice | None = None
        self._problem = ""
        be_patient(session.source)

    @property
    def is_opening(self) -> bool:
        """Whether another source is being opened."""
        return self._opening is not None

    def state(self) -> Mapping[str, object]:
        """Return what a page shows: the choices, the present one, the one that is being opened, and what failed."""
        return {
            "cameras": [{"key": choice.key, "name": choice.name} for choice in self._choices],
            "camera": self._current.key,
            "opening": self._opening.key if self._opening else None,
            "problem": self._problem,
        }

    def refresh(self) -> None:
        """Look for cameras again, in a thread."""
        new_thread("camera list", self._list).start()

    def choose(self, key: object) -> None:
        """Open another source in a thread, and switch to it once it gives a picture; the newest choice counts.

        Raises:
            ValueError: it is none of the choices.
        """
        choice = next((choice for choice in self._choices if choice.key == key), None)
        if choice is None:
            raise ValueError("camera: expected one of the list")
        self._problem, self._opening = "", None
        if choice != self._current:
            self._opening = choice
            new_thread("camera", self._open, choice).start()

    def _list(self) -> None:
        choices = listed(self._named)
        gone = [choice for choice in (self._current,) if choice not in choices]
        self._choices = (*choices, *gone)

    def _open(self, choice: Choice) -> None:
        """Open a source and switch to it; where it fails, say so, and the former goes on."""
        try:
            source = self._opener(choice.source)
        except MouthLiveError as error:
            log.warning("%s", error)
            if self._opening is choice:
                self._opening, self._problem = None, f"{error}. Still shown: {self._current.name}"
            return
        if self._opening is not choice:
            source.__exit__(None, None, None)  # another was chosen in the meantime
            return
        be_patient(source)
        log.info("camera: %s", choice.name)
        self._session.switch(source)
        self._opening, self._current = None, choice


def listed(named: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the choices: what the user named, and then the other cameras of this machine."""
    cameras = [Choice(_key(camera.index), f"{camera.index}: {camera.name}", camera.index) for camera in list_cameras()]
    names = {camera.key: camera for camera in cameras}
    first = [names.pop(choice.key, choice) for choice in named]
    return (*dict.fromkeys(first), *names.values())


def be_patient(source: VideoSource) -> None:
    """Let a camera that is lost be opened again whenever it comes back: the page lives on, and has others to choose."""
    if isinstance(source, LiveCamera):
        source.patience = inf


def _key(index: int) -> str:
    return f"camera-{index}"


def _named(number: int, source: str) -> Choice:
    """Return the choice for a source of the command line; for a camera of this machine, that of the list."""
    found = find_source(source)
    if isinstance(found, int):
        return Choice(_key(found), f"camera {found}", found)
    if isinstance(found, Camera):
        return Choice(_key(found.index), found.name, found.index)
    if isinstance(found, Path):
        return Choice(f"named-{number}", found.name, source)
    index = next((camera.index for camera in list_cameras() if camera.path == found), None)
    return Choice(f"named-{number}" if index is None else _key(index), address_name(found), source)

"""A session on a web page: the server's address, its sinks, and how it runs."""

import logging
import os
import re
import webbrowser
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from ...models.errors import SinkError, UsageError
from ..lips.face_choice import LARGEST
from ..outputs.output import Output
from ..session import Session
from ..settings import AnalysisSettings
from ..sinks.missing_face import MissingFace
from ..sinks.sink import Sink
from ..sinks.web.access import MIN_TOKEN_LENGTH, UNSPECIFIED, Access, is_loopback, new_token
from ..sinks.web.avatar import read_avatar
from ..sinks.web.server import listen
from ..sinks.web.web_sink import WebSink
from ..sinks.window.keys import keys_in_words
from ..sinks.window.window_sink import WindowSink, WindowStatus
from ..video.cameras import open_camera
from .calibrator import DEFAULT_NAME, Calibrator
from .camera_choice import CameraChoice
from .live_source import open_live
from .rate_meter import RateMeter
from .recorder import Recorder
from .serve_controls import ServeControls

log = logging.getLogger("mouth_live")

TOKEN_VARIABLE = "MOUTH_LIVE_TOKEN"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of the command, by their names there.

    Attributes:
        camera: the sources, as on the command line; the first is shown, the others may be chosen on the page.
        host, port: where to listen.
        open_browser: open the page.
        window: show the window too; closing it ends the session.
        no_picture: send values alone.
        avatar: the folder of the user's own pictures; None for the drawn avatar.
        output: the folder of recordings.
        save: the configuration file that the page may write; None for none.
        smooth: the cut-off of the smoothing in Hz; None for the default.
        size: the (width, height) in pixels to request from the camera.
        fps: the frames per second to request from the camera.
        face: who drives an output that has room for one face.
        outputs: the apps to send to.
    """

    camera: Sequence[str]
    host: str
    port: int
    open_browser: bool
    window: bool
    no_picture: bool
    avatar: Path | None
    output: Path
    save: Path | None
    smooth: float | None
    size: tuple[int, int] | None
    fps: float | None
    face: str | None
    outputs: Sequence[Output]


def run_serve(options: ServeOptions, settings: AnalysisSettings) -> None:
    """Serve the pages until the source, Ctrl-C or an error ends it.

    Raises:
        SourceError: the camera or the avatar cannot be opened.
        SinkError: the port is taken, or there is no folder for recordings, or no display for the window.
        UsageError: the token that the user chose is no token.
        Terminated: by SIGTERM, with all files complete.
    """
    if not options.output.is_dir():
        raise SinkError(f"{options.output}: is no folder; make it or give another --output")
    if options.save and not options.save.absolute().parent.is_dir():
        raise SinkError(f"{options.save}: there is no such folder to save in; make it or give another --save")
    avatar = read_avatar(options.avatar) if options.avatar else ()
    access = Access(options.host, _token(options.host))
    with (
        closing(listen(options.host, options.port)) as taken,
        open_live(options.camera[0], settings, window=options.window, size=options.size, fps=options.fps) as session,
    ):
        if options.smooth is not None:
            session.pipeline.min_cutoff = options.smooth
        sinks = _sinks(options, settings, session, _Door(taken, access, avatar))
        session.run(sinks, options.outputs, options.face or LARGEST)
    log.info("ended" if session.interrupted or options.window else "%s has ended", session.source.name)


@dataclass(frozen=True, slots=True)
class _Door:
    """Where the pages are served, to whom, and with which avatar."""

    taken: socket
    access: Access
    avatar: tuple[bytes, ...]


def _sinks(options: ServeOptions, settings: AnalysisSettings, session: Session, door: _Door) -> list[Sink]:
    address = page_address(options.host, door.taken.getsockname()[1], door.access.prefix)
    source = session.source
    recorder = Recorder(options.output, lambda: session.source)
    cameras = CameraChoice(session, options.camera, lambda one: open_camera(one, options.size, options.fps))
    pipeline = session.pipeline
    calibrator = Calibrator(
        settings.profile or DEFAULT_NAME, pipeline.model.name, on_profile=pipeline.use_profile, overwrite=False
    )

    def announce() -> None:
        """Say what was opened and where the pages are; open the page, if wanted."""
        width, height = source.size
        log.info("%s: %dx%d at %.4g frames/s", source.name, width, height, source.nominal_rate)
        log.info("page: %s", address)
        log.info("for OBS: %sobs", address)
        if options.window:
            log.info("keys in the window: %s", keys_in_words())
        if options.open_browser:
            webbrowser.open(address)

    web = WebSink(
        door.taken,
        door.access,
        ServeControls(session, settings.limits, recorder, calibrator, cameras, options.output, options.save),
        source=lambda: session.source,
        picture=not options.no_picture,
        avatar=door.avatar,
        dropped=lambda: session.dropped,
        on_ready=announce,
    )
    sinks: list[Sink] = [web, recorder, calibrator, MissingFace(options.face)]
    return [*sinks, *_window(session, calibrator)] if options.window else sinks


def _window(session: Session, calibrator: Calibrator) -> list[Sink]:
    """Return the sinks of the window beside the pages."""
    meter = RateMeter(session, show=False)

    def status() -> WindowStatus:
        """Return the status to show with the next frame."""
        return WindowStatus(meter.rate, session.dropped, calibrator.notice, session.queued)

    return [meter, WindowSink(on_calibrate=calibrator.begin, status=status)]


def _token(host: str) -> str:
    """Return the token for an address to listen at: none for this machine alone, else a random one or the user's.

    Raises:
        UsageError: the user's is too short, or cannot stand in a URL.
    """
    if is_loopback(host):
        return ""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token and not re.fullmatch(rf"[A-Za-z0-9_-]{{{MIN_TOKEN_LENGTH},}}", token):
        raise UsageError(f"{TOKEN_VARIABLE}: expected at least {MIN_TOKEN_LENGTH} letters, digits, - or _")
    return token or new_token()


def page_address(host: str, port: int, prefix: str) -> str:
    """Return the page's address; for all addresses of the machine, with its name on the network."""
    from socket import gethostname

    name = gethostname() if host in UNSPECIFIED else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}{prefix}"

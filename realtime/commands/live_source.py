"""A live source that is shown in a window: what is wrong with it is said before a missing display is."""

from pathlib import Path

from ..session import Session, open_session
from ..settings import AnalysisSettings
from ..sinks.window.display import display_problem
from ..video.camera_list import refuse_missing_camera
from ..video.cameras import find_source


def open_live(
    source: str,
    settings: AnalysisSettings,
    *,
    window: bool,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Session:
    """Open a live source.

    Args:
        source: as on the command line.
        settings: how to analyse it.
        window: whether it will be shown; a camera is then not switched on where there is no display.
        size: the (width, height) in pixels to request from a camera.
        fps: the frames per second to request from a camera.

    Raises:
        SourceError: there is no such source, or it cannot be read.
        SinkError: there is no display for the window.
        MouthLiveError: as :func:`.open_session`.
    """
    found, problem = find_source(source), display_problem() if window else None
    if problem is not None and not isinstance(found, Path):
        if isinstance(found, int):
            refuse_missing_camera(found)
        raise problem
    session = open_session(source, settings, live=True, size=size, fps=fps)
    if problem is not None:
        with session:
            raise problem
    return session

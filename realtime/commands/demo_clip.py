"""The clip of ``mouth-live demo``, and the code that shows or writes it."""

import logging
from pathlib import Path

from ...models.errors import SinkError
from ..settings import AnalysisSettings
from ..sinks.drawing.themes import DEFAULT_THEME, Theme
from ..sinks.window.display import display_problem
from .live import LiveOptions, run_live
from .recordings.plan import Wanted, plan_jobs
from .recordings.products import ProductOptions
from .recordings.run import RunOptions, process_recordings

log = logging.getLogger("mouth_live")

DEMO_CLIP = Path(__file__).parent / "demo.mp4"


def run_demo(
    no_window: bool,
    folder: Path,
    settings: AnalysisSettings,
    overwrite: bool = False,
    theme: Theme = DEFAULT_THEME,
) -> None:
    """Show the demo in the window; without a display, or on request, write it as a video and a CSV.

    Args:
        no_window: write the demo instead of showing it.
        folder: the folder for the files, made if its parent exists.
        settings: the settings of the analysis.
        overwrite: replace files of an earlier demo.
        theme: what is drawn into the picture.

    Raises:
        SinkError: the files cannot be written.
    """
    problem = None if no_window else display_problem()
    if not no_window and problem is None:
        log.info("the demo clip plays as if from a camera")
        run_live(LiveOptions(camera=str(DEMO_CLIP), theme=theme), settings)
        return
    if problem is not None:
        log.info("no display found, so the demo is written to files")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SinkError(f"{folder}: cannot make this folder ({error.strerror}); give another -o") from None
    wanted = [
        Wanted("table", "csv", str(folder / "mouth-live-demo.csv")),
        Wanted("video", "mp4", str(folder / "mouth-live-demo.mp4")),
    ]
    jobs = plan_jobs([str(DEMO_CLIP)], wanted, several=False)
    process_recordings(jobs, ProductOptions(theme=theme), settings, RunOptions(overwrite=overwrite))

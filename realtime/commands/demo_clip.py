"""The clip of ``mouth-live demo``, and the code that shows or writes it."""

import logging
from pathlib import Path

from ..settings import AnalysisSettings
from ..sinks.window import display_problem
from .live import LiveOptions, run_live
from .recordings.plan import Wanted, plan_jobs
from .recordings.products import ProductOptions
from .recordings.run import RunOptions, process_recordings

log = logging.getLogger("mouth_live")

DEMO_CLIP = Path(__file__).parent / "demo.mp4"


def run_demo(no_window: bool, folder: Path, settings: AnalysisSettings) -> None:
    """Show the demo in the window; without a display, or on request, write it as a video and a CSV.

    Args:
        no_window: write the demo instead of showing it.
        folder: the folder for the files.
        settings: the settings of the analysis.

    Raises:
        SinkError: the files cannot be written.
    """
    problem = None if no_window else display_problem()
    if not no_window and problem is None:
        log.info("the demo clip plays as if from a camera; q or Esc ends")
        run_live(LiveOptions(camera=str(DEMO_CLIP)), settings)
        return
    if problem is not None:
        log.info("no display found, so the demo is written to files")
    wanted = [
        Wanted("table", "csv", str(folder / "mouth-live-demo.csv")),
        Wanted("video", "mp4", str(folder / "mouth-live-demo.mp4")),
    ]
    process_recordings(plan_jobs([str(DEMO_CLIP)], wanted), ProductOptions(), settings, RunOptions(overwrite=True))

"""``mouth-live demo``: the whole pipeline on a short clip that ships with the program."""

import logging
from pathlib import Path

from ..sinks.window import display_problem
from .live import LiveSettings, run_live
from .recordings.jobs import Job
from .recordings.process import Settings, process

log = logging.getLogger("mouth_live")

DEMO_CLIP = Path(__file__).parent / "demo.mp4"


def run_demo(no_window: bool, folder: Path) -> None:
    """Show the demo in the window; without a display, or if asked to, write it as a video and a CSV.

    Args:
        no_window: write, do not show.
        folder: where to write.

    Raises:
        SinkError: the files cannot be written.
    """
    problem = None if no_window else display_problem()
    if not no_window and problem is None:
        log.info("the demo clip plays as if from a camera; q or Esc ends")
        run_live(LiveSettings(camera=str(DEMO_CLIP)))
        return
    if problem is not None:
        log.info("no display here, so the demo is written to files")
    process(
        [Job(DEMO_CLIP, folder / "mouth-live-demo.csv")],
        Settings(annotate=folder / "mouth-live-demo.mp4", overwrite=True),
    )

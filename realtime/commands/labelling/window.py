"""The labelling window: one face at a time, one key each."""

import logging
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from ....models.errors import SinkError, UsageError
from ...settings import AnalysisSettings
from ...sinks.window import display_problem
from .candidates import Candidate, find_candidates, spread_out
from .table import Labelling, labelled_frames
from .view import STEPS, draw_candidate

log = logging.getLogger("mouth_live")

TITLE = "mouth-live label"
LABEL_KEYS = {ord(str(i)): step for i, step in enumerate(STEPS)}
BACK_KEYS = frozenset({ord("b"), 8})  # 8 is Backspace
SKIP_KEYS = frozenset({ord("s"), ord(" ")})
STOP_KEYS = frozenset({ord("q"), 27})  # 27 is Esc; no capital Q, whose number the left arrow has too
LOOK = 30  # ms between looks at whether the window was closed


def label(video: Path, table: Path, count: int, settings: AnalysisSettings) -> None:
    """Let the user label faces of a video.

    Args:
        video: the user's own.
        table: the CSV to write; one that is there is gone on with.
        count: faces to offer, those labelled before included.
        settings: of the analysis whose readings tell which frames are worth a label.

    Raises:
        SinkError: there is no display, or the table cannot be put there.
        SourceError: the video cannot be read, or holds no face.
        DataError: the table cannot be read or written.
        UsageError: the table would replace the video.
    """
    if table.resolve() == video.resolve():
        raise UsageError(f"{table}: the labels would overwrite the video")
    problem = display_problem("label on a computer with a screen")
    if problem is not None:
        raise problem
    if not table.absolute().parent.is_dir():
        raise SinkError(f"{table}: no such folder; make it or give another -o")
    taken = labelled_frames(table, video)
    candidates = find_candidates(video, settings)
    known = [candidate for candidate in candidates if candidate.frame in taken]
    labelling = Labelling(table, video, [*known, *spread_out(candidates, max(0, count - len(taken)), taken)])
    if labelling.current is None:
        log.info("%s: %d faces of %s are labelled already; offer more with --count", table, len(taken), video.name)
        return
    with _Window() as window:
        run(labelling, window)
    left = len(labelling.candidates) - labelling.position
    log.info("%s: %d labelled, %d skipped, %d left", table, labelling.labelled, labelling.skipped, left)


def run(labelling: Labelling, window: "_Window") -> None:
    """Show face after face until all are labelled, or the user stops."""
    while (candidate := labelling.current) is not None:
        key = window.ask(candidate, labelling)
        if key in STOP_KEYS:
            return
        if key in LABEL_KEYS:
            labelling.say(LABEL_KEYS[key])
        elif key in SKIP_KEYS:
            labelling.say(None)
        elif key in BACK_KEYS:
            labelling.back()


class _Window:
    """OpenCV's window, in the main thread."""

    def __enter__(self) -> Self:
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open():
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)  # the window goes when its events are handled

    def ask(self, candidate: Candidate, labelling: Labelling) -> int:
        """Show a face and wait for a key; closing the window is the key that stops."""
        said = labelling.said(candidate)
        openness = said.openness if said else None
        cv2.imshow(TITLE, draw_candidate(candidate, labelling.position, len(labelling.candidates), openness))
        while True:
            key = cv2.waitKey(LOOK)
            if key >= 0:
                return key & 0xFF
            if not self._is_open():
                return min(STOP_KEYS)

    def _is_open(self) -> bool:
        try:
            return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some backends raise where others return -1
            return False

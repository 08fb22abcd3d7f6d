"""The labelling window: it shows one face at a time, and each label is one key."""

import logging
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from ....models.errors import SinkError
from ...settings import AnalysisSettings
from ...sinks.window.display import display_problem
from ...video.sources import open_video
from .candidates import Candidate, find_candidates, spread_out
from .table import Labelling, labelled_frames
from .view import LABEL_VALUES, draw_candidate

log = logging.getLogger("mouth_live")

TITLE = "mouth-live label"
LABEL_KEYS = {ord(str(i)): step for i, step in enumerate(LABEL_VALUES)}
BACK_KEYS = frozenset({ord("b"), 8})  # 8 is Backspace
SKIP_KEYS = frozenset({ord("s"), ord(" ")})
STOP_KEYS = frozenset({ord("q"), 27})  # 27 is Esc; not Q, which has the same code as the left arrow
CLOSE_POLL_MS = 30  # ms between two checks whether the window was closed


def label_video(video: Path, table: Path, count: int, settings: AnalysisSettings) -> None:
    """Let the user label faces of a video.

    Args:
        video: the video, the user's own.
        table: the CSV to write; an existing one is continued.
        count: the number of faces to label, including those labelled already.
        settings: the settings of the analysis whose readings select the frames.

    Raises:
        SinkError: there is no display, or the table's folder does not exist.
        SourceError: the video cannot be read, or contains no face.
        DataError: the table cannot be read or written.
    """
    with open_video(video):  # its own errors come before a missing display
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
        _label_faces(labelling, window)
    left = len(labelling.candidates) - labelling.position
    log.info("%s: %d labelled, %d skipped, %d left", table, labelling.labelled, labelling.skipped, left)


def _label_faces(labelling: Labelling, window: "_Window") -> None:
    """Show one face after the other until all are labelled or the user stops."""
    while (candidate := labelling.current) is not None:
        key = window.ask(candidate, labelling)
        if key in STOP_KEYS:
            return
        if key in LABEL_KEYS:
            labelling.set_label(LABEL_KEYS[key])
        elif key in SKIP_KEYS:
            labelling.set_label(None)
        elif key in BACK_KEYS:
            labelling.go_back()


class _Window:
    """The window of OpenCV; use it in the main thread."""

    def __enter__(self) -> Self:
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open():
            cv2.destroyWindow(TITLE)
            cv2.waitKey(1)  # the window disappears when its events are handled

    def ask(self, candidate: Candidate, labelling: Labelling) -> int:
        """Show a face, wait for a key and return its code; closing the window counts as a key that stops."""
        label = labelling.label_of(candidate)
        openness = label.openness if label else None
        cv2.imshow(TITLE, draw_candidate(candidate, labelling.position, len(labelling.candidates), openness))
        while True:
            key = cv2.waitKey(CLOSE_POLL_MS)
            if key >= 0:
                return key & 0xFF
            if not self._is_open():
                return min(STOP_KEYS)

    def _is_open(self) -> bool:
        try:
            return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # some backends raise where others return -1
            return False

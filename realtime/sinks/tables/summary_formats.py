"""Summaries as CSV and as an HTML page, written line by line."""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from html import escape
from math import isnan
from pathlib import Path

from ..html_page import page_head
from .summary import QUANTILES, FaceSummary, TableSummary
from .summary_style import SCRIPT, STYLE

_OPENNESS = tuple(f"openness_{round(100 * share)}" for share in QUANTILES)
FACE_COLUMNS = (
    "face_id", "seen_seconds", "seen_share", "talk_seconds", "openings", "opening_seconds", *_OPENNESS, "reliability",
    "activity_mean", "activity_share",
)  # fmt: skip
SUMMARY_COLUMNS = ("table", "frames", "seconds", "several_faces", *FACE_COLUMNS, "activity_limit", "whole", "reason")
TITLES = {
    "table": "Table",
    "frames": "Frames",
    "seconds": "Length (s)",
    "several_faces": "Frames with several faces",
    "face_id": "Face",
    "seen_seconds": "Seen (s)",
    "seen_share": "Share of frames",
    "talk_seconds": "Lips active (s)",
    "openings": "Openings",
    "opening_seconds": "Mean opening (s)",
    **{name: f"Openness {name.rpartition('_')[2]}\N{NO-BREAK SPACE}%" for name in _OPENNESS},
    "reliability": "Mean reliability",
    "activity_mean": "Mean activity",
    "activity_share": "Share at limit",
    "activity_limit": "Activity limit",
    "whole": "Whole",
    "reason": "Why not",
}
_TEXTS = ("table", "reason")


def as_csv(summaries: Iterable[TableSummary]) -> Iterator[str]:
    """Yield the CSV in parts: its header, then one row for each face of each table; no face is one row too."""
    yield _csv_line(SUMMARY_COLUMNS)
    for summary in summaries:
        for row in _rows(summary):
            yield _csv_line(row)


def as_html(summaries: Iterable[TableSummary]) -> Iterator[str]:
    """Yield in parts an HTML page that needs no other file and no network; a click on a heading sorts it."""
    heads = "".join(
        f'<th scope="col"{"" if name in _TEXTS else " class=n"}><button>{TITLES[name]}</button></th>'
        for name in SUMMARY_COLUMNS
    )
    yield (
        page_head("Mouth openness: summary", STYLE, [SCRIPT]) + "<main>"
        "<h1>Summary</h1><p>One row for each face of each recording. Openness is 0 (closed) to 1 (fully open); an "
        "opening is a mouth held open. Activity is how much the lips move, 0 to 1; its share is the part of the "
        "measured time in which it is at the limit or above. A heading sorts the table.</p>"
        f'<div class="wide" tabindex="0" role="region" aria-label="Summary"><table><thead><tr>{heads}</tr></thead>'
        "<tbody>\n"
    )
    tables = 0
    for summary in summaries:
        tables += 1
        for row in _rows(summary):
            yield "<tr>" + "".join(map(_html_cell, SUMMARY_COLUMNS, row)) + "</tr>\n"
    count = f"{tables} recording{'' if tables == 1 else 's'}"
    yield f"</tbody></table></div><p>{count}</p></main><script>{SCRIPT}</script></body></html>\n"


def _rows(summary: TableSummary) -> Iterator[list[str]]:
    """Yield the cells of each face; of a recording without faces those of the recording alone."""
    start = [_printable(summary.path), str(summary.frames), f"{summary.seconds:.3f}", str(summary.crowded)]
    whole = "" if summary.whole is None else str(int(summary.whole))
    end = [f"{summary.activity_limit:g}", whole, summary.reason]
    for face in summary.faces:
        yield [*start, *face_cells(face), *end]
    if not summary.faces:
        yield [*start, *[""] * (len(SUMMARY_COLUMNS) - len(start) - len(end)), *end]


def face_cells(face: FaceSummary) -> list[str]:
    """Return the numbers of a face as text, in the order of :data:`FACE_COLUMNS`."""
    times = [str(face.face_id), f"{face.seconds:.3f}", f"{face.share:.4f}", f"{face.talking:.3f}", str(face.openings)]
    openness = [f"{value:.4f}" for value in face.openness]
    scores = [_number(value, 4) for value in (face.reliability, face.activity, face.activity_share)]
    return [*times, _number(face.opening_seconds, 3), *openness, *scores]


def _number(value: float, decimals: int) -> str:
    return "" if isnan(value) else f"{value:.{decimals}f}"


def _printable(path: Path) -> str:
    """Return a path as UTF-8 can hold it, for names in another encoding."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _html_cell(name: str, value: str) -> str:
    if name == "table":
        return f'<th scope="row">{escape(value)}</th>'
    if name == "whole" and value:
        value = "yes" if value == "1" else "no"
    return f"<td>{escape(value)}</td>" if name in _TEXTS else f"<td class=n>{escape(value)}</td>"

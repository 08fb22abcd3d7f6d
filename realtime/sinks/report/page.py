"""The report of one table as one HTML page that needs no network; the video is a file beside it."""

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from ..html_page import page_head
from ..tables.summary_formats import FACE_COLUMNS, TITLES, face_cells
from .colours import on_dark, on_light
from .recording import LEVELS, MISSING, Recording, Spans, Track

TICKS = 10_000  # of the page's clock in a second
_SCRIPTS = ("series.js", "chart.js", "print.js", "player.js", "report.js")
_MEDIA_POLICY = "media-src 'self' file:; img-src data:"  # 'self' holds no files, where the page is one


@dataclass(frozen=True, slots=True)
class Video:
    """The recording's video, as the page refers to it.

    Attributes:
        name: for messages.
        address: relative to the page, or with a scheme; empty where there is nothing to play.
        start_time: the seconds from the table's time zero to the same moment on the video's own clock.
        problem: why there is no video, in a sentence; else empty.
    """

    name: str = ""
    address: str = ""
    start_time: float = 0.0
    problem: str = ""


def report_page(
    title: str, recording: Recording, video: Video, portraits: Mapping[int, bytes], library: str
) -> Iterator[str]:
    """Yield the page in parts.

    Args:
        title: the recording's name.
        recording: the table.
        video: what is played at the cursor.
        portraits: JPEG of faces, by id.
        library: BokehJS.
    """
    script = "\n".join(asset(name) for name in _SCRIPTS)
    yield page_head(f"{title}: mouth openness", asset("report.css"), [library, script], _MEDIA_POLICY)
    yield f"<header><h1>{escape(title)}</h1><p>{_facts(recording)}</p>{_warnings(recording, video)}</header>"
    yield asset("report.html")
    yield f'<section class="numbers"><h2>Numbers</h2>{_table(recording, portraits)}</section>'
    yield f"{_notes(recording)}</main>"
    data = json.dumps(_data(recording, video), separators=(",", ":")).replace("<", "\\u003c")
    yield f'<script type="application/json" id="data">{data}</script><script>{library}</script>'
    yield f'<script type="module">{script}</script></body></html>\n'


def relative_address(target: Path, folder: Path) -> str:
    """Return the address by which a page in a folder refers to a file: relative where that can be."""
    try:
        relative = os.path.relpath(target.absolute(), folder.absolute())
    except ValueError:  # on another drive
        return target.absolute().as_uri()
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def asset(name: str) -> str:
    """Return a file of this package: a script, a style sheet, a part of the page."""
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def duration_text(seconds: float) -> str:
    """Return a length as ``1:02:03`` or ``2:03``; ``2.5 s`` below ten seconds."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def counted(count: int, what: str) -> str:
    """Return a number with its word, as in ``1 face`` and ``90,000 frames``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def image_source(jpeg: bytes) -> str:
    """Return a JPEG as an address that needs no other file."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def _facts(recording: Recording) -> str:
    summary = recording.summary
    parts = [duration_text(summary.seconds), counted(summary.frames, "frame"), counted(len(summary.faces), "face")]
    return " \N{MIDDLE DOT} ".join(parts)


def _warnings(recording: Recording, video: Video) -> str:
    texts = [video.problem]
    if recording.summary.whole is False:
        texts.append(f"The recording was not read to its end: {recording.summary.reason}")
    if not recording.tracks:
        texts.append("No face was read in this recording.")
    return "".join(f'<p class="warning">{escape(text)}</p>' for text in texts if text)


def _table(recording: Recording, portraits: Mapping[int, bytes]) -> str:
    """Make a row for each face, with its portrait and the box that shows its curve."""
    heads = "".join(f'<th scope="col">{TITLES[name]}</th>' for name in FACE_COLUMNS[1:])
    rows: list[str] = []
    for track in recording.tracks:
        face_id, *cells = face_cells(track.summary)
        portrait = portraits.get(track.summary.face_id)
        picture = f'<img src="{image_source(portrait)}" alt="">' if portrait else '<span class="none"></span>'
        box = f'<label><input type="checkbox" data-face="{face_id}">{picture}Face {face_id}</label>'
        rows.append(f'<tr><th scope="row">{box}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    return (
        '<div class="wide" tabindex="0" role="region" aria-label="Numbers of each face"><table><thead><tr>'
        f'<th scope="col">Shown</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _notes(recording: Recording) -> str:
    return (
        '<p class="notes">Openness is 0 (closed), 0.5 (slightly open) to 1 (fully open). A frame lasts until the next '
        "one. The share of frames is of those in which the face was read. An opening is a mouth held open, and lips "
        "are active when they move as in talking. Quantiles are those of the smoothed openness. Reliability is low "
        "below 0.3. Activity is how much the lips move, 0 to 1; its share is the part of the measured time in which it "
        f"is at least {recording.summary.activity_limit:g}.</p>"
    )


def _data(recording: Recording, video: Video) -> dict[str, Any]:
    """Return what the page's scripts read."""
    origin = float(recording.times[0])
    ticks = np.rint((recording.times - origin) * TICKS).astype(np.uint32)
    return {
        "origin": origin,
        "end": recording.end,
        "ticks": TICKS,
        "levels": LEVELS,
        "activityLimit": recording.summary.activity_limit,
        "missing": MISSING,
        "times": _packed(ticks),
        "faces": [_face(track) for track in recording.tracks],
        "colours": {"dark": list(on_dark()), "light": list(on_light())},
        "video": {
            "name": video.name,
            "address": video.address,
            "place": unquote(video.address),
            "start": video.start_time,
        },
    }


def _face(track: Track) -> dict[str, Any]:
    return {
        "id": track.summary.face_id,
        "seconds": round(track.summary.seconds, 3),
        "first": track.first,
        "smooth": _packed(track.smooth),
        "raw": _packed(track.raw),
        "activity": _packed(track.activity) if (track.activity != MISSING).any() else "",
        "active": _flat(track.active),
        "opened": _flat(track.opened),
        "doubtful": _flat(track.doubtful),
    }


def _flat(spans: Spans) -> list[float]:
    return [round(time, 3) for time in spans.ravel().tolist()]


def _packed(values: NDArray[np.unsignedinteger[Any]]) -> str:
    """Return unsigned integers as base64 of the deflated differences of neighbours, which wrap around."""
    steps = np.diff(values, prepend=values.dtype.type(0))
    return base64.b64encode(zlib.compress(steps.astype(values.dtype.newbyteorder("<")).tobytes(), 9)).decode("ascii")

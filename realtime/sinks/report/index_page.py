"""The page over a folder's reports: a small picture of each recording, which leads to its report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ..html_page import page_head
from .colours import on_dark, on_light
from .page import asset, counted, duration_text, image_source
from .recording import LEVELS, Recording, Track
from .thinning import thinned

FACES = 4  # of a card
_WIDTH, _LANE = 240, 30  # the drawing's own units


@dataclass(frozen=True, slots=True)
class Card:
    """One recording on the page.

    Attributes:
        title: its name.
        address: of its report, relative to the page.
        body: its HTML.
    """

    title: str
    address: str
    body: str


def card(title: str, address: str, recording: Recording, portraits: Mapping[int, bytes]) -> Card:
    """Return the card of a recording; of many faces it has those that were seen longest."""
    faces = len(recording.tracks)
    talking = sum(track.summary.talking for track in recording.tracks)
    parts = [duration_text(recording.summary.seconds), counted(faces, "face")]
    parts += [f"lips active {duration_text(talking)}"] if faces else []
    left_out = f"<small>{faces - FACES} more</small>" if faces > FACES else ""
    cut_off = '<small class="warning">cut off</small>' if recording.summary.whole is False else ""
    lanes = "".join(_lane(recording, track, portraits.get(track.summary.face_id)) for track in recording.longest(FACES))
    facts = " \N{MIDDLE DOT} ".join(parts)
    return Card(title, address, f"<p>{facts} {cut_off}</p>{lanes or '<p>No face was read.</p>'}{left_out}")


def index_page(title: str, cards: Sequence[Card], failed: Sequence[str]) -> Iterator[str]:
    """Yield the page in parts.

    Args:
        title: the folder's name.
        cards: the recordings.
        failed: what was said of each table that has no report.
    """
    numbers = range(len(on_light()))
    colours = "".join(f".c{n}{{--face:{on_light()[n]}}}" for n in numbers)
    dark = "".join(f".c{n}{{--face:{on_dark()[n]}}}" for n in numbers)
    style = f"{asset('index.css')}{colours}@media screen and (prefers-color-scheme: dark){{{dark}}}"
    script = asset("index.js")
    yield page_head(f"{title}: mouth openness", style, [script], "img-src data:")
    yield (
        f"<main><header><h1>{escape(title)}</h1><p>{counted(len(cards), 'recording')}. Each line is a face's openness, "
        "from closed to fully open; the bars below it show when its lips were active.</p>"
        '<label id="search" hidden>Find <input type="search"></label></header><ul>'
    )
    for one in cards:
        link = f'<a href="{escape(one.address)}">{escape(one.title)}</a>'
        yield f'<li data-name="{escape(one.title)}"><h2>{link}</h2>{one.body}</li>\n'
    yield "</ul>"
    if failed:
        yield f"<h2>Without a report</h2>{''.join(f'<p>{escape(text)}</p>' for text in failed)}"
    yield f'</main><script type="module">{script}</script></body></html>\n'


def _lane(recording: Recording, track: Track, portrait: bytes | None) -> str:
    """Draw a face's curve over the whole recording."""
    origin, scale = float(recording.times[0]), _WIDTH / (recording.end - float(recording.times[0]))
    line, pen_down = list[str](), False
    for time, level in zip(*thinned(recording, track, _WIDTH), strict=True):
        if np.isnan(level):
            pen_down = False
            continue
        place = f"{(time - origin) * scale:.1f} {22 - 20 * level / LEVELS:.1f}"
        line.append(f"{'L' if pen_down else 'M'}{place}")
        pen_down = True
    spans = ((track.active - origin) * scale).tolist()
    bars = "".join(f"M{start:.1f} 27h{max(end - start, 0.5):.1f}" for start, end in spans)
    face_id = track.summary.face_id
    picture = f'<img src="{image_source(portrait)}" alt="">' if portrait else '<span class="none"></span>'
    return (
        f'<div class="lane c{face_id % len(on_light())}">{picture}<b>{face_id}</b>'
        f'<svg viewBox="0 0 {_WIDTH} {_LANE}" preserveAspectRatio="none" role="img" aria-label="Face {face_id}">'
        f'<path class="curve" d="{"".join(line)}"/><path class="bars" d="{bars}"/></svg></div>'
    )

"""Charts as inline SVG. Colours are CSS classes of the page, so that they suit a dark screen too."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, log10, nan

import numpy as np

from .readings import FaceReading
from .statistics import Figure

SIDE, EDGE = 320, 40  # pixels of a square chart, and its room for the axes
MOST_DOTS = 3000  # so many faces a scatter shows, evenly chosen
CELL_WIDTH, CELL_HEIGHT = 220, 18  # of a chart in a table's row
BINS = 20  # of a histogram over 0..1
GROUPS = 16  # of equally open mouths, about equally many in each
FEWEST = 5  # faces that make a group
TOPS = (1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where numbers lie in a table's row of charts: linear, or logarithmic."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, number: float, width: float = CELL_WIDTH) -> float:
        """Return the pixels from the left, inside the chart."""
        low, high = self.low, self.high
        if self.logarithmic:
            number, low, high = log10(max(number, low)), log10(low), log10(high)
        return 4 + (width - 8) * min(max((number - low) / max(high - low, 1e-12), 0), 1)


def scatter(rows: Sequence[FaceReading]) -> str:
    """Plot the truth across and the reading up; on the diagonal a reading is right."""
    seen = [row for row in rows if not isnan(row.value)]
    seen = seen[:: max(1, -(-len(seen) // MOST_DOTS))]
    rng = np.random.default_rng(0)
    dots = "".join(
        f'<circle cx="{_x(row.truth + spread):.1f}" cy="{_y(row.value):.1f}" r="2.4"/>'
        for row, spread in zip(seen, rng.uniform(-0.006, 0.006, len(seen)), strict=True)
    )
    diagonal = f'<line class="guide" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _framed("true openness", "as read", diagonal + f'<g class="dots">{dots}</g>', "Truth against reading")


def steadiness(rows: Sequence[FaceReading]) -> str:
    """Plot what is read of equally open mouths: the median, and the band that holds four fifths.

    The dashed line is the median of a landmark model's values, on the faces that people labelled.
    """
    truth = np.array([row.truth for row in rows])
    edges = np.unique(np.quantile(truth, np.linspace(0, 1, GROUPS + 1)))
    member = np.searchsorted(edges[1:-1], truth, side="right")

    def of(values: list[float], quantile: float) -> list[tuple[float, float]]:
        """Return mean truth and quantile of the values in each group."""
        read = np.array(values)
        places: list[tuple[float, float]] = []
        for group in range(len(edges)):
            chosen = (member == group) & np.isfinite(read)
            if chosen.sum() >= FEWEST:
                places.append((float(truth[chosen].mean()), float(np.quantile(read[chosen], quantile))))
        return places

    ours = [row.value for row in rows]
    theirs = [row.landmarker if row.by_people else nan for row in rows]
    band = [*of(ours, 0.9), *reversed(of(ours, 0.1))]
    return _framed(
        "true openness",
        "as read: median, 80 % band",
        f'<line class="guide" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
        f'<polygon class="band" points="{_points(band)}"/><polyline class="line" points="{_points(of(ours, 0.5))}"/>'
        f'<polyline class="line other" points="{_points(of(theirs, 0.5))}"/>',
        "What is read of equally open mouths",
    )


def curves(shares: Sequence[float], figures: Sequence[Figure], best: Sequence[float]) -> str:
    """Plot the squared error of the faces kept over the share left out; the band is the interval."""
    top = _round_top(max(f.high if not isnan(f.high) else f.value for f in figures))
    last = max(shares)

    def at(share: float, error: float) -> str:
        """Return a point of the curve as SVG coordinates."""
        return f"{_x(share / last):.1f},{_y(error / top):.1f}"

    pairs = list(zip(shares, figures, strict=True))
    upper = [at(s, f.high) for s, f in pairs if not isnan(f.high)]
    lower = [at(s, f.low) for s, f in reversed(pairs) if not isnan(f.low)]
    line = " ".join(at(s, f.value) for s, f in pairs)
    oracle = " ".join(at(s, error) for s, error in zip(shares, best, strict=True))
    inside = (
        f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>'
        f'<polyline class="line" points="{line}"/><polyline class="line other" points="{oracle}"/>'
        + "".join(f'<circle class="dot" cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3"/>' for p in line.split(" "))
    )
    ticks = [(share / last, f"{share:.0%}") for share in shares]
    heights = [(k / 4, f"{top * k / 4:.3g}") for k in range(1, 5)]
    return _framed(
        "least reliable left out", "squared error", inside, "Error without the least reliable", ticks, heights
    )


def histogram(seen: Sequence[float], covered: Sequence[float]) -> str:
    """Plot the shares of the values 0..1 of two groups."""
    counts = [np.histogram(values, BINS, (0, 1))[0] / max(len(values), 1) for values in (seen, covered)]
    top = _round_top(max(float(c.max()) for c in counts))
    bars = "".join(
        f'<rect class="{kind}" x="{_x(i / BINS) + 1:.1f}" y="{_y(share / top):.1f}" '
        f'width="{(SIDE - 2 * EDGE) / BINS - 2:.1f}" height="{_y(0) - _y(share / top):.1f}"/>'
        for kind, shares in zip(("bar", "bar other"), counts, strict=True)
        for i, share in enumerate(shares.tolist())
    )
    heights = [(k / 4, f"{top * k / 4:.0%}") for k in range(1, 5)]
    return _framed("reliability", "share of the faces", bars, "How reliable faces read", None, heights)


def row_chart(marks: Sequence[tuple[Figure, str]], scale: Scale, guide: float | None = None) -> str:
    """Draw figures with their intervals on one line, for a table's cell.

    Args:
        marks: figure and CSS class of each.
        scale: shared by the table's rows.
        guide: a number that a faint upright line marks.
    """
    parts: list[str] = []
    if guide is not None:
        x = scale.place(guide)
        parts.append(f'<line class="guide" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{CELL_HEIGHT}"/>')
    for i, (figure, kind) in enumerate(marks):
        y = CELL_HEIGHT * (i + 1) / (len(marks) + 1)
        if isnan(figure.value):
            continue
        if not isnan(figure.low):
            a, b = scale.place(figure.low), scale.place(figure.high)
            parts.append(f'<line class="whisker {kind}" x1="{a:.1f}" y1="{y:.1f}" x2="{b:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<circle class="dot {kind}" cx="{scale.place(figure.value):.1f}" cy="{y:.1f}" r="3.5"/>')
    return f'<svg class="cell" viewBox="0 0 {CELL_WIDTH} {CELL_HEIGHT}" role="presentation">{"".join(parts)}</svg>'


def _framed(
    across: str,
    up: str,
    inside: str,
    title: str,
    ticks: Sequence[tuple[float, str]] | None = None,
    heights: Sequence[tuple[float, str]] | None = None,
) -> str:
    """Draw a square chart of 0..1 each way with axes and labels."""
    quarters = [(k / 4, f"{k / 4:g}") for k in range(5)]
    marks = "".join(
        f'<text x="{_x(at):.1f}" y="{SIDE - EDGE + 14}" text-anchor="middle">{text}</text>'
        for at, text in ticks or quarters
    )
    marks += "".join(
        f'<line class="grid" x1="{_x(0)}" y1="{_y(at):.1f}" x2="{_x(1)}" y2="{_y(at):.1f}"/>'
        f'<text x="{EDGE - 4}" y="{_y(at) + 3:.1f}" text-anchor="end">{text}</text>'
        for at, text in heights or quarters[1:]
    )
    axes = f'<path class="axis" d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}"/>'
    names = (
        f'<text class="name" x="{SIDE / 2}" y="{SIDE - 4}" text-anchor="middle">{across}</text>'
        f'<text class="name" x="{-SIDE / 2}" y="0" text-anchor="middle" transform="rotate(-90)">{up}</text>'
    )
    label = f'role="img" aria-label="{title}"'
    return f'<svg class="square" viewBox="-12 26 {SIDE} {SIDE - 26}" {label}>{marks}{axes}{inside}{names}</svg>'


def _round_top(highest: float) -> float:
    """Return the lowest of :data:`TOPS` times a power of ten that is not lower: its quarters are round numbers."""
    power = 10.0 ** np.floor(np.log10(max(highest, 1e-9)))
    return float(next(power * step for step in TOPS if power * step >= highest * 0.999))


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in places)


def _x(share: float) -> float:
    return EDGE + (SIDE - 2 * EDGE) * share


def _y(share: float) -> float:
    return SIDE - EDGE - (SIDE - 2 * EDGE) * share

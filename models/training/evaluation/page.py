"""A report as one HTML page that needs no other file and no network: figures, plots, the faces read worst."""

from collections.abc import Sequence
from html import escape
from math import isnan

from . import charts
from .compare import Pair, Versus
from .conditions import CONDITIONS
from .page_style import STYLE
from .result import Evaluation, Measures, Reliability
from .statistics import Figure
from .text import interval
from .worst_faces import WorstFace

TITLES = {"source": ("By set", "")} | {c.name: (f"By {c.title[0].lower()}{c.title[1:]}", c.unit) for c in CONDITIONS}
FEW = 10  # with fewer faces in a bin no chart is drawn: it would show chance
OURS, OTHER = "main", "other"


def as_page(report: Evaluation, worst: Sequence[WorstFace]) -> str:
    """Return the report as a page.

    Args:
        report: the figures.
        worst: the faces read worst.
    """
    name = escape(report.model)
    ours = _key(OURS, report.model)
    landmarker = _key(OTHER, "a landmark model") if report.versus else ""
    other = _key(OTHER, report.versus[-1].other) if report.versus else ""
    body = [
        _head(report),
        _tiles(report.overall),
        '<div class="pair">',
        _card("Truth against reading", charts.scatter(report.faces), f"Each dot a face. {ours}"),
        _card("Equally open mouths", charts.steadiness(report.faces), ours + landmarker),
        "</div><h2>By condition</h2><p class=soft>Squared error with its 95 % interval. Bias is reading minus truth: ",
        f"above 0 it reads too open. {ours}{other}</p>",
        f'<div class="card">{_bins_table(report)}</div>',
        _reliability(report.reliability) if report.reliability else "",
        *[_versus(report.model, one) for one in report.versus],
        _worst(worst),
        _foot(report),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>How right is {name}?</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(report: Evaluation) -> str:
    sources = ", ".join(f"{escape(m.name)} {m.faces:,}" for m in report.by["source"])
    warnings = "".join(f'<p class="warning">{escape(text)}</p>' for text in report.warnings)
    return (
        f"<h1>How right is {escape(report.model)}?</h1><p class=soft>{escape(report.title)}. Mouth openness from 0 "
        f"(closed) to 1 (fully open) on {report.overall.faces:,} labelled faces of {report.overall.people:,} "
        f"{report.groups}: {sources}.</p>{warnings}"
    )


def _key(kind: str, name: str) -> str:
    return f'<span class="key {kind}">{escape(name)}</span> '


def _card(title: str, chart: str, legend: str) -> str:
    return f'<div class="card"><h3>{title}</h3>{chart}<p class=soft>{legend}</p></div>'


def _tiles(m: Measures) -> str:
    times = "times less squared error than always answering the mean"
    tiles = [
        (times, m.ratio, 2),
        ("mean squared error", m.mse, 4),
        ("mean absolute error", m.mae, 3),
        ("bias (reading minus truth)", m.bias, 3),
        ("correlation", m.pearson, 3),
        ("correlation of ranks", m.spearman, 3),
        ("closed against open, AUC", m.auc, 3),
    ]
    shown = "".join(
        _tile(name, _number(f.value, digits), _range(f, digits), name is times) for name, f, digits in tiles
    )
    missed = _tile(
        "of the faces not found", f"{m.missed / m.faces:.1%}", f"{m.missed} of {m.faces:,}, read as the mean"
    )
    return f'<div class="tiles">{shown}{missed}</div>'


def _tile(name: str, number: str, more: str, first: bool = False) -> str:
    kind = "tile first" if first else "tile"
    return f'<div class="{kind}"><b>{number}</b><span>{name}</span><span>{more}</span></div>'


def _number(value: float, decimals: int) -> str:
    return "-" if isnan(value) else f"{value:.{decimals}f}"


def _range(figure: Figure, decimals: int) -> str:
    return "" if isnan(figure.low) else f"{figure.low:.{decimals}f} to {figure.high:.{decimals}f}"


def _bins_table(report: Evaluation) -> str:
    """Make a row for each bin: count, chart of the squared error, numbers; the sets where there are several."""
    names = [name for name, bins in report.by.items() if name != "source" or len(bins) > 1]
    others = report.versus[-1].by if report.versus else {}
    shown = [m.mse for name in names for m in report.by[name] if m.faces >= FEW]
    highest = max([mse.value if isnan(mse.high) else mse.high for mse in shown], default=0.1)
    scale = charts.Scale(0, min(highest * 1.05, 3 * report.overall.mse.value + 0.05))
    rows = [
        "<tr><th></th><th class=n>faces</th><th class=n>not found</th>"
        f"<th>squared error, 0 to {scale.high:.2f}</th><th></th><th>bias</th></tr>"
    ]
    for name in names:
        title, unit = TITLES[name]
        rows.append(f'<tr><th class="part" colspan="6">{title} <small>{escape(unit)}</small></th></tr>')
        pairs = {pair.name: pair for pair in others.get(name, ())}
        rows += [_bin_row(m, pairs.get(m.name), scale) for m in report.by[name]]
    return f"<table>{''.join(rows)}</table>"


def _bin_row(m: Measures, pair: Pair | None, scale: charts.Scale) -> str:
    marks = [(m.mse, "main")] if m.faces >= FEW else []
    if pair is not None and m.faces >= FEW:
        marks.append((pair.mse[1], "other"))
    return (
        f"<tr><td>{escape(m.name)}</td><td class=n>{m.faces:,}</td><td class=n>{m.missed or ''}</td><td>"
        f"{charts.row_chart(marks, scale)}</td><td>{m.mse.value:.4f}</td><td>{interval(m.bias, 3, sign=True)}</td></tr>"
    )


def _reliability(r: Reliability) -> str:
    whole, tenth = r.mse[0].value, r.mse[1].value
    rates = [
        f"one {kind} with an AUC of {area:.3f} ({len(values)} faces)"
        for kind, values, area in (
            ("that a mask covers", r.covered, r.auc),
            ("of the test part whose lips are mostly hidden", r.hidden, r.hidden_auc),
        )
        if values
    ]
    covered = f"Reliability distinguishes a seen mouth from {', and from '.join(rates)}." if rates else ""
    kept = _key(OURS, "left out by reliability") + _key(OTHER, "by their true error: no reliability can do better")
    whose = _key(OURS, "seen") + _key(OTHER, "covered or hidden")
    return (
        f"<h2>Reliability</h2><p>Leaving out the least reliable tenth changes the squared error from {whole:.4f} to "
        f"{tenth:.4f} ({tenth / max(whole, 1e-12) - 1:+.0%}). {covered}</p><div class='pair'>"
        f"{_card('Error without the least reliable', charts.curves(r.dropped, r.mse, r.best), kept)}"
        f"{_card('How reliable faces read', charts.histogram(r.seen, r.covered + r.hidden), whose)}</div>"
    )


def _versus(model: str, versus: Versus) -> str:
    scale = charts.Scale(0.2, 5, logarithmic=True)
    rows = "".join(
        f"<tr><td>{escape(pair.name)}</td><td class=n>{pair.faces:,}</td><td>{interval(pair.ratio[0], 2)}</td>"
        f"<td>{interval(pair.ratio[1], 2)}</td>"
        f"<td>{charts.row_chart([(pair.error_ratio, 'main')], scale, guide=1)}</td>"
        f"<td>{interval(pair.error_ratio, 2)}</td></tr>"
        for pair in (*versus.by["source"], versus.overall)
    )
    overall = versus.overall
    several = len(versus.by["source"]) > 1
    geometric = f" Geometric mean over the sets: <b>{interval(versus.geometric, 2)}</b>." if several else ""
    return (
        f"<h2>Against {escape(versus.other)}</h2><p>{escape(versus.about)}. Times: how many times less squared error "
        "than always answering the mean. Error ratio: its squared error over this one's, above 1 this one is better."
        f"{geometric} Paired differences, this minus the other: squared error "
        f"{interval(overall.difference, 5, sign=True)}, absolute error "
        f"{interval(overall.mae_difference, 4, sign=True)}, AUC {interval(overall.auc_difference, 3, sign=True)}.</p>"
        f'<div class="card"><table><tr><th>set</th><th class=n>faces</th><th>times, {escape(model)}</th>'
        f"<th>times, {escape(versus.other)}</th><th>error ratio, 0.2 to 5</th><th></th></tr>{rows}</table></div>"
    )


def _worst(worst: Sequence[WorstFace]) -> str:
    return (
        f"<h2>The {len(worst)} faces read worst</h2><p class=soft>The worst first: true \N{RIGHTWARDS ARROW} read. "
        "On the bar the plain mark is the truth, the orange one the reading. The white frame is what the network sees. "
        "Where network and landmark model agree against the truth, doubt the label."
        f'</p><div class="faces">{"".join(map(_face, worst))}</div>'
    )


def _face(face: WorstFace) -> str:
    row = face.reading
    read = "not found" if isnan(row.value) else f"{row.value:.2f}"
    picture = f'<img src="{face.source}" alt="">' if face.portrait else '<div class="none">no picture</div>'
    trust = "" if isnan(row.reliability) else f"<br>reliability {row.reliability:.2f}"
    other = "" if isnan(row.landmarker) or not row.by_people else f"<br>landmarker {row.landmarker:.2f}"
    marks = f"--truth:{row.truth:.3f};--value:{row.truth + face.error:.3f}"
    name = escape(row.file.removeprefix("images/").removesuffix(".jpg"))
    return (
        f"<figure>{picture}<figcaption>{row.truth:.2f} \N{RIGHTWARDS ARROW} {read}"
        f'<i style="{marks}"></i><span>{name}{other}{trust}</span></figcaption></figure>'
    )


def _foot(report: Evaluation) -> str:
    digest = f" Network SHA-256 {escape(report.sha256)}." if report.sha256 else ""
    return (
        "<footer>Made by mouth-live evaluate. Each face went through finder, face check, crop and network as video "
        "does; a face that was not found counts as read at the mean. Intervals: 95 %, bootstrap over "
        f"{report.groups}. "
        f"Open is a gap ratio from 0.035.{digest} This page holds pictures of the faces measured: mind their terms "
        "before you pass it on.</footer>"
    )

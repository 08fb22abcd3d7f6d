"""A report as text for the terminal."""

from .compare import Pair, Versus
from .conditions import CONDITIONS
from .result import Evaluation, Measures
from .statistics import Figure

TITLES = {"source": "Set"} | {condition.name: condition.title for condition in CONDITIONS}


def interval(figure: Figure, decimals: int, sign: bool = False) -> str:
    """Return a figure with its interval as text; a dash where it is not defined."""
    if figure.value != figure.value:  # NaN
        return "-"
    form = f"{{:{'+' if sign else ''}.{decimals}f}}"
    if figure.low != figure.low:
        return form.format(figure.value)
    return f"{form.format(figure.value)} [{form.format(figure.low)}, {form.format(figure.high)}]"


def as_text(report: Evaluation) -> str:
    """Return the report in some 50 lines of up to 110 characters."""
    m = report.overall
    lines = [f"{report.model} on {report.data}"]
    lines += [f"  ! {warning}" for warning in report.warnings]
    lines += [
        f"  {m.faces} faces of {m.people} {report.groups}; {m.missed} not found ({m.missed / m.faces:.1%}), counted "
        "as read at the mean",
        f"  squared error {interval(m.mse, 5)}: {interval(m.ratio, 2)} times smaller than predicting the mean",
        f"  absolute error {interval(m.mae, 4)}, bias {interval(m.bias, 4, sign=True)}",
        f"  correlation {interval(m.pearson, 3)}, of ranks {interval(m.spearman, 3)}",
        f"  closed against open, AUC {interval(m.auc, 3)}",
        f"  (95 % intervals: bootstrap over {report.groups})",
    ]
    for name, bins in report.by.items():
        lines += ["", f"{TITLES[name]:34}{'n':>6} {'missed':>6}  squared error              bias", *map(_row, bins)]
    if report.reliability:
        r = report.reliability
        lines += ["", "Squared error without the least reliable"]
        lines += [f"  {share:4.0%}  {interval(f, 5)}" for share, f in zip(r.dropped, r.mse, strict=True)]
        if r.covered:
            lines += [f"  masked mouths read less reliable than seen ones: AUC {r.auc:.3f} (n={len(r.covered)})"]
        if r.hidden:
            lines += [f"  mouths of the test part that are mostly hidden: AUC {r.hidden_auc:.3f} (n={len(r.hidden)})"]
    for one in report.versus:
        lines += ["", *versus_as_text(report.model, one)]
    return "\n".join(lines)


def versus_as_text(model: str, versus: Versus) -> list[str]:
    """Return a comparison in a few lines."""
    lines = [f"Against {versus.other}: {versus.about}; times better than the mean:"]
    lines.append(f"  {'':14}{'n':>6}  {model[:21]:22} {'the other':22} its squared error / this one's")
    lines += [_pair(pair) for pair in (*versus.by["source"], versus.overall)]
    overall = versus.overall
    lines.append(
        f"  difference of the squared errors {interval(overall.difference, 5, sign=True)}, of the absolute errors "
        f"{interval(overall.mae_difference, 4, sign=True)}, of the AUC {interval(overall.auc_difference, 3, sign=True)}"
    )
    if len(versus.by["source"]) > 1:
        lines.append(f"  geometric mean over the sets of the error ratios: {interval(versus.geometric, 2)}")
    return lines


def _pair(pair: Pair) -> str:
    ours, theirs = (interval(figure, 2) for figure in pair.ratio)
    return f"  {pair.name:14}{pair.faces:6}  {ours:22} {theirs:22} {interval(pair.error_ratio, 2)}"


def _row(m: Measures) -> str:
    return f"  {m.name:32}{m.faces:6} {m.missed:6}  {interval(m.mse, 4):25}  {interval(m.bias, 3, sign=True)}"

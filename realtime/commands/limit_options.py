"""The options for the limits of lip events, each checked against what its measure can reach."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from ..lips.limits import ACTIVITY, ACTIVITY_LIMIT, DEFAULT_LIMITS, HIGHEST_LEVEL, PRESETS, Kind, Limits
from .option_types import SECONDS, Number

OFF_SHARE = ACTIVITY.off / ACTIVITY.on
OFF_BELOW = 0.15  # of --on, for the openness; half of --on where that is higher, for a mouth that never closes fully

LIMIT_OPTIONS = [
    click.option(
        "--preset",
        type=click.Choice(list(PRESETS)),
        help="talk: lips move as in talking. switch: opened on purpose. yawn: wide open for over a second.",
    ),
    click.option("--kind", type=click.Choice(["activity", "open"]), help="Only events of this kind."),
    click.option(
        "--on",
        type=Number(0, min_open=True),
        help="Level from which an event starts (open: openness; activity: lip movement).",
    ),
    click.option(
        "--off",
        type=Number(0, min_open=True),
        help=f"Level below which it stops; default: {OFF_BELOW} below --on, but at least half of it; for activity "
        f"{OFF_SHARE:.2g} of it.",
    ),
    click.option(
        "--activity-on",
        type=Number(0, min_open=True),
        help="--on of activity, where both kinds are watched for.",
    ),
    click.option("--activity-off", type=Number(0, min_open=True), help="--off of activity, as well."),
    click.option(
        "--hold",
        type=SECONDS,
        help="Seconds that a mouth must be held open until it counts, for a switch: --min-on of --kind open.",
    ),
    click.option("--min-on", type=SECONDS, help="Seconds above --on until it starts."),
    click.option("--min-off", type=SECONDS, help="Seconds below --off until it stops."),
    click.option("--pad", type=SECONDS, help="Seconds by which it begins earlier and ends later."),
]

activity_limit_option = click.option(
    "--activity-limit",
    type=Number(0, 1, min_open=True, max_open=True),
    default=ACTIVITY_LIMIT,
    show_default=True,
    metavar="SCORE",
    help="Activity, 0..1, from which time counts for activity_share.",
)


def take_limits(options: dict[str, Any], usual: Mapping[Kind, Limits] = DEFAULT_LIMITS) -> dict[Kind, Limits]:
    """Take the options of the limits out of ``options``: the preset's or usual limits with the numbers given.

    Args:
        options: the values of click; the limits' are removed.
        usual: the limits of both kinds where there is no preset.

    Raises:
        click.UsageError: the limits contradict each other, or can never be reached.
    """
    preset, kind = options.pop("preset"), options.pop("kind")
    hold = options.pop("hold")
    numbers: dict[str, float | None] = {name: options.pop(name) for name in ("on", "off", "min_on", "min_off", "pad")}
    if hold is not None and numbers["min_on"] is not None:
        raise click.UsageError("--hold and --min-on say the same; give one of them")
    limits: dict[Kind, Limits] = dict(PRESETS[preset] if preset else usual)
    if kind is not None:
        if kind not in limits:
            raise click.UsageError(f"--preset {preset} has no {kind} events; leave --kind out")
        limits = {kind: limits[kind]}
    if hold is not None:
        if "open" not in limits:
            raise click.UsageError("--hold is for a mouth held open; leave --kind activity or --preset talk out")
        limits["open"] = replace(limits["open"], min_on=hold)
    activity = {"on": options.pop("activity_on"), "off": options.pop("activity_off")}
    if any(value is not None for value in activity.values()):
        if len(limits) == 1:
            raise click.UsageError("--activity-on and --activity-off are for both kinds at once; write --on and --off")
        limits["activity"] = _changed("activity", limits["activity"], activity)
    which: Kind = next(iter(limits)) if len(limits) == 1 else "open"
    limits[which] = _changed(which, limits[which], numbers)
    return limits


def _changed(kind: Kind, old: Limits, numbers: Mapping[str, float | None]) -> Limits:
    """Return limits with those numbers changed that are given."""
    given = {name: value for name, value in numbers.items() if value is not None}
    if not given:
        return old
    if "on" in given and "off" not in given:
        given["off"] = _usual_off(kind, given["on"])
    values = {"on": old.on, "off": old.off, "min_on": old.min_on, "min_off": old.min_off, "pad": old.pad} | given
    check_levels(kind, values["on"], values["off"])
    return Limits(**values)


def _usual_off(kind: Kind, on: float) -> float:
    return max(on - OFF_BELOW, on / 2) if kind == "open" else OFF_SHARE * on


def check_levels(kind: Kind, on: float, off: float) -> None:
    """Raise a usage error for levels between which no event can start and stop."""
    highest = HIGHEST_LEVEL[kind]
    if on > highest:
        raise click.UsageError(f"--on {on:g}: the level of {kind} never gets above {highest:g}")
    if off > on:
        raise click.UsageError(f"--off {off:g}: above the level from which {kind} starts, --on {on:g}")

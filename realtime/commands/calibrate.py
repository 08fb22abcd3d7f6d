"""``mouth-live calibrate``: measure a person's own range."""

from typing import Any

import click

from .option_types import Number
from .options import analysis_options, take_settings


@click.command()
@click.option("--camera", default="0", metavar="SOURCE", show_default=True, help="As for live video; or a file.")
@click.option("--profile", default="me", metavar="NAME", show_default=True, help="Name to save the profile under.")
@click.option("--no-window", is_flag=True, help="Show the instructions only on the terminal.")
@click.option(
    "--seconds",
    type=Number(1, 60),
    default=5.0,
    show_default=True,
    help="Duration of each phase: mouth closed, then wide open.",
)
@click.option("--overwrite", is_flag=True, help="Replace a profile of that name.")
@analysis_options(profile=False)
def calibrate(profile: str, **options: Any) -> None:  # noqa: ANN401
    """Measure a person's own range: mouth closed for 5 seconds, then wide open for 5.

    The profile is saved in the user's configuration folder. With --profile NAME, live video, process and events then
    rescale openness to that range; openness_raw stays on the network's own scale.

    \b
    mouth-live calibrate --profile anna                measure
    mouth-live calibrate --profile anna --overwrite    measure again
    mouth-live --profile anna                          use it
    """  # noqa: D301
    settings = take_settings(options)
    from .calibrator import CalibrationPlan, run_calibration

    run_calibration(CalibrationPlan(profile, **options), settings)

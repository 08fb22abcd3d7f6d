"""``mouth-live calibrate``: measure a person's own range."""

from typing import Any

import click

from .options import model_option


@click.command()
@click.option("--camera", default="0", metavar="SOURCE", show_default=True, help="As for live video; a file will do.")
@click.option("--profile", default="me", metavar="NAME", show_default=True, help="The name to keep it under.")
@click.option("--no-window", is_flag=True, help="Tell what to do on the terminal alone.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 60),
    default=5.0,
    show_default=True,
    help="Length of each part: closed, then wide open.",
)
@model_option
def calibrate(**options: Any) -> None:  # noqa: ANN401
    """Measure a person's own range: mouth closed for 5 seconds, then wide open for 5.

    It is saved in the user's configuration folder. With --profile NAME, live video, process and events then spread
    openness over that range; openness_raw stays as the network gives it.
    """
    from .calibrator import CalibrateSettings, run_calibrate

    run_calibrate(CalibrateSettings(**options))

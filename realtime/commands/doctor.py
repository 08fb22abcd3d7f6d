"""``mouth-live doctor``: check each link from the camera to the apps."""

from typing import Any

import click

from .options import model_option, profile_option
from .output_options import config_option, output_options, take_outputs


@click.command()
@click.option("--camera", default="0", metavar="SOURCE", show_default=True, help="As for live video; a file will do.")
@click.option("--seconds", type=click.FloatRange(1, 60), default=3.0, show_default=True, help="How long to look.")
@profile_option
@output_options
@config_option
@model_option
def doctor(**options: Any) -> None:  # noqa: ANN401
    """Check each link from the camera to the apps, one line each: fine, or what to do.

    \b
    mouth-live doctor
    mouth-live doctor --profile anna --to osc://127.0.0.1:9000 --to key:space
    """  # noqa: D301
    from .checks import DoctorSettings, run_doctor

    outputs = take_outputs(options)
    run_doctor(DoctorSettings(outputs=outputs, **options))

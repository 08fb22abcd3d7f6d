"""``mouth-live doctor``: check each link from the camera to the apps."""

from typing import Any

import click

from .option_types import Number
from .options import analysis_options, output_options, take_outputs, take_settings


@click.command()
@click.option("--camera", default="0", metavar="SOURCE", show_default=True, help="As for live video; or a file.")
@click.option("--seconds", type=Number(1, 60), default=3.0, show_default=True, help="Seconds to measure.")
@analysis_options()
@output_options
def doctor(**options: Any) -> None:  # noqa: ANN401
    """Check each link from the camera to the apps, and print one line for each: fine, or what to do.

    \b
    mouth-live doctor
    mouth-live doctor --profile anna --to osc://127.0.0.1:9000 --to key:space
    """  # noqa: D301
    settings = take_settings(options)
    outputs = take_outputs(options)
    from .checks import run_doctor

    run_doctor(settings, outputs=outputs, **options)

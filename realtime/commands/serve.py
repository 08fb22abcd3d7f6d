"""``mouth-live serve``: live video on a web page, and an avatar for OBS."""

from pathlib import Path
from typing import Any

import click

from .option_types import Number, Size
from .options import CONFIG_PATH, analysis_options, face_option, output_options, take_outputs, take_settings

DEFAULT_PORT = 8765


@click.command(short_help="Show live video on a web page and in OBS.")
@click.option(
    "--camera",
    multiple=True,
    default=("0",),
    metavar="SOURCE",
    show_default=True,
    help="Camera index, URL, device, part of a camera's name, or a video file. May be repeated: the first is shown, "
    "the page can choose the others, and the machine's other cameras.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen at. Any but this machine's own needs a token, which is printed.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes any free one."
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in the browser.")
@click.option("--window", is_flag=True, help="Show the window too; closing it ends the program.")
@click.option("--no-picture", is_flag=True, help="Send values alone, no picture.")
@click.option(
    "--avatar",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="For OBS: 2 to 5 PNG pictures, from closed to open by name.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where the page's button records to; default the current folder.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Where the page saves its limits; default the file of --config.",
)
@click.option(
    "--smooth",
    type=Number(0.05, 20),
    metavar="HZ",
    help="Cut-off of the smoothing while the mouth rests; lower is calmer and slower. Default: 1.",
)
@click.option("--size", type=Size(), help="Ask the camera for this picture size.")
@click.option("--fps", type=Number(0, min_open=True), help="Ask the camera for this frame rate.")
@analysis_options(events=True)
@face_option
@output_options
@click.pass_context
def serve(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401
    """Show live video on a web page: curves, events, limits to drag, a button that records. /obs is an avatar for OBS.

    \b
    mouth-live serve --open                  the page in the browser
    mouth-live serve --avatar me/            your own pictures for OBS: http://127.0.0.1:8765/obs
    mouth-live serve --host 0.0.0.0          for other machines, with a token in the address
    """  # noqa: D301
    settings = take_settings(options)
    outputs = take_outputs(options, settings.limits)
    options["save"] = options["save"] or ctx.meta.get(CONFIG_PATH)
    from ..outputs.libraries import require

    require("serve", "aiohttp", "aiohttp", "web")
    from .live_page import ServeOptions, run_serve

    run_serve(ServeOptions(outputs=outputs, **options), settings)

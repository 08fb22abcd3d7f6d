"""The commands for apps and cameras: ``events`` and ``devices``."""

import click

from ..models.errors import MouthLiveError


@click.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="One line for each reading too.")
def events(file: str | None, camera: str | None, values: bool) -> None:
    """Lip events as JSON lines on stdout, one for each start and stop, for other programs to read."""
    from .event_lines import write_event_lines

    if file and camera:
        raise click.UsageError("give a FILE or --camera, not both")
    write_event_lines(file, camera, values)


@click.command()
def devices() -> None:
    """List the cameras: index, name, path."""
    from .cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        click.echo(f"{camera.index}\t{camera.name}\t{camera.path}")
    if not cameras:
        raise MouthLiveError("no camera found; plug one in, or check that this user may use it")

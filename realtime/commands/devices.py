"""``mouth-live devices``: list the cameras."""

import click

from ...models.errors import MouthLiveError


@click.command()
@click.option("--probe", is_flag=True, help="Open each camera and try common sizes (its light goes on).")
def devices(probe: bool) -> None:
    """List the cameras: index, name, path, and the picture sizes that each offers.

    On Linux the driver reports the sizes; elsewhere --probe finds them.

    \b
    mouth-live devices            list them
    mouth-live devices --probe    open each, to see which sizes it gives
    """  # noqa: D301
    from ..video.camera_formats import probed_formats, reported_formats
    from ..video.cameras import CAPTURE_BACKEND, list_cameras

    cameras = list_cameras()
    for camera in cameras:
        formats = probed_formats(camera.index, CAPTURE_BACKEND) if probe else reported_formats(camera.path)
        sizes = ", ".join(map(str, formats)) or ("gives no picture" if probe else "sizes unknown; try --probe")
        click.echo(f"{camera.index}\t{camera.name}\t{camera.path}\t{sizes}")
    if not cameras:
        raise MouthLiveError("no camera found; plug one in, or check that this user may use it")

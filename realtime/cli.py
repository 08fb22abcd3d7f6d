"""The command line: what the commands are called, what they take, and how they end."""

import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, cast

import click

from ..models.errors import MouthLiveError

log = logging.getLogger("mouth_live")


class Terminated(BaseException):
    """SIGTERM came: clean up and end with 143."""


class Size(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """WIDTHxHEIGHT, such as 1280x720."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        """To (width, height) in pixels."""
        if isinstance(value, tuple):
            return cast("tuple[int, int]", value)
        width, _, height = str(value).lower().partition("x")
        if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
            self.fail(f"expected WIDTHxHEIGHT such as 1280x720, got {value!r}", param, ctx)
        return int(width), int(height)


_device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="Where the openness network runs; auto takes the GPU when TensorFlow is installed and sees one.",
)
_model = click.option(
    "--model", default="openness_reference", show_default=True, help="Weights by name, or a .tflite file."
)
_backend = click.option(
    "--backend",
    type=click.Choice(["litert", "mediapipe"]),
    default="litert",
    show_default=True,
    help="What finds the faces. mediapipe (extra [mediapipe]) reports its use to Google over the network; litert sends "
    "nothing.",
)
_min_score = click.option(
    "--min-score",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Leave out faces that the detector scores lower.",
)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mouth-live", prog_name="mouth-live")
@click.option(
    "--camera",
    default="0",
    metavar="SOURCE",
    show_default=True,
    help="Index, URL, device, part of a name, or a video file.",
)
@click.option("--no-window", is_flag=True, help="Run without a screen.")
@click.option(
    "--csv", "csv_path", type=click.Path(path_type=Path), help="Write the readings to this file ('-' is stdout)."
)
@click.option("--record", type=click.Path(path_type=Path), help="Write the annotated video to this file.")
@click.option("--mirror", is_flag=True, help="Show the picture as in a mirror (not the text).")
@click.option("--size", type=Size(), help="Ask the camera for this picture size.")
@click.option("--fps", type=click.FloatRange(0, min_open=True), help="Ask the camera for this many frames a second.")
@_device
@_model
@_backend
@_min_score
@click.pass_context
def cli(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401
    """Mouth openness from 0 (closed) to 1 (fully open) for every face, in live or recorded video.

    \b
    mouth-live                      live, from the first camera, in a window
    mouth-live --camera clip.mp4    a video file at its own pace, as if live
    mouth-live process talk.mp4     a recording to talk.csv
    mouth-live demo                 see it work without a camera

    In the window q or Esc ends, space pauses. Nothing is sent over the network.
    """  # noqa: D301
    if ctx.invoked_subcommand:
        given = [name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
        if given:
            flag = next(p.opts[0] for p in cli.params if p.name == given[0])
            raise click.UsageError(f"{flag} belongs to live video; it does not go with '{ctx.invoked_subcommand}'")
        return
    from .live import LiveSettings, run_live

    run_live(LiveSettings(**options))


@cli.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("-o", "--output", metavar="OUT", help="One video: a file, or '-' for stdout. Several: a folder.")
@click.option(
    "--annotate", type=click.Path(path_type=Path), metavar="FILE", help="Write an annotated video too (one input only)."
)
@click.option("--overwrite", is_flag=True, help="Do outputs again that are there already.")
@click.option(
    "--time",
    "clock",
    type=click.Choice(["first", "media"]),
    default="first",
    show_default=True,
    help="Timestamps count from the first frame, or from the container's zero as its sound does.",
)
@_device
@_model
@_backend
@_min_score
def process(inputs: tuple[str, ...], output: str | None, annotate: Path | None, clock: str, **options: Any) -> None:  # noqa: ANN401
    """Recorded video to CSV: a row for each face of each frame.

    INPUT is a video, a still picture, a folder (searched for videos, recursively) or a glob. Without -o the CSV is
    NAME.csv in the current folder.

    \b
    mouth-live process talk.mp4                        writes talk.csv
    mouth-live process talk.mp4 -o - | head            to stdout
    mouth-live process talk.mp4 --annotate seen.mp4    with a video to look at
    mouth-live process recordings/ -o tables/          a folder, its structure kept

    \b
    Exit code: 0 done; 1 failed; 2 wrong options; 3 some inputs failed, the others are done; 130 Ctrl-C.
    """  # noqa: D301
    from .jobs import plan
    from .process import Settings
    from .process import process as run

    jobs = plan(inputs, output)
    if annotate and len(jobs) > 1:
        raise click.UsageError("--annotate goes with one input; process them one at a time")
    if annotate and any(annotate.resolve() == job.source.resolve() for job in jobs):
        raise click.UsageError(f"{annotate}: the annotated video would overwrite the input")
    run(jobs, Settings(annotate, media_time=clock == "media", **options))


@cli.command()
@click.option("--no-window", is_flag=True, help="Write the annotated video and the CSV instead of showing them.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder for them; default the current one."
)
def demo(no_window: bool, output: Path) -> None:
    """See the whole pipeline work on a short clip that ships with the program: no camera and no file needed."""
    from .demo import run_demo

    run_demo(no_window, output)


@cli.command()
@click.argument("file", required=False)
@click.option("--camera", metavar="SOURCE", help="A camera instead of a file.")
@click.option("--values", is_flag=True, help="One line for each reading too.")
def events(file: str | None, camera: str | None, values: bool) -> None:
    """Lip events as JSON lines on stdout, one for each start and stop, for other programs to read."""
    from .event_lines import write_event_lines

    if file and camera:
        raise click.UsageError("give a FILE or --camera, not both")
    write_event_lines(file, camera, values)


@cli.command()
def devices() -> None:
    """List the cameras: index, name, path."""
    from .cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        click.echo(f"{camera.index}\t{camera.name}\t{camera.path}")
    if not cameras:
        raise MouthLiveError("no camera found; plug one in, or check that this user may use it")


@cli.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with labels.csv and images/.")
@click.option("--preset", default="reference", show_default=True, help="Network, optimiser and schedule.")
@click.option(
    "--run", "run_folder", type=click.Path(path_type=Path), help="Folder for the results; default runs/PRESET."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the split, the order and the variations.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier run in that folder.")
def train(data: Path, preset: str, run_folder: Path | None, seed: int, overwrite: bool) -> None:
    """Train an openness network on labelled faces (extra [train]): weights, history, curve and report in a folder."""
    from ..models.training.train import train as run

    run(data, run_folder or Path("runs") / preset, preset, seed=seed, overwrite=overwrite)


@cli.command()
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder with labels.csv and images/.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the report to this file too.")
def evaluate(model: str, data: Path, json_path: Path | None) -> None:
    """Measure MODEL (a name or a .tflite file) on the labelled faces that training never saw."""
    from ..models.training.evaluate import evaluate as run

    report = run(model, data)
    click.echo(report.as_text())
    if json_path:
        json_path.write_text(report.as_json(), encoding="utf-8")


@cli.command()
@click.argument("run_folder", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, metavar="NAME.tflite", help="The file to write."
)
def export(run_folder: Path, output: Path) -> None:
    """Make the file that the program runs, NAME.tflite with its card NAME.json, from a training run's folder."""
    from ..models.training.export import export as run

    run(run_folder, output)
    log.info("wrote %s; use it with --model %s", output, output)


def main() -> None:
    """Run the command line; every way it can end has its exit code (CONTRACT: exit codes)."""
    _talk()
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_run())


def _run() -> int:  # noqa: PLR0911
    try:
        # Not cli.main(): it turns a closed stdout into exit code 1.
        with cli.make_context("mouth-live", sys.argv[1:]) as ctx:
            cli.invoke(ctx)
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except MouthLiveError as error:
        log.error("%s", error)
        return error.exit_code
    except KeyboardInterrupt:
        log.error("interrupted")
        return 130
    except Terminated:
        return 143
    except BrokenPipeError:
        # The reader of stdout has seen enough; what Python would still flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except MemoryError:
        log.error("out of memory; close other programs or process smaller pictures")
        return 1
    return 0


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated


def _talk() -> None:
    """Log lines go to stderr: plain for what is told, with their level where something is wrong."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        return f"mouth-live: {level}{record.getMessage()}"

"""The command group, live video as its default, and the exit code of every command."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from ...models.control_characters import escape_control_characters
from ...models.errors import MouthLiveError
from ..system.signals import RaiseOnce, Terminated
from .calibrate import calibrate
from .command_group import CommandGroup
from .completion import complete, complete_files, completion
from .demo import demo
from .devices import devices
from .doctor import doctor
from .evaluate import evaluate
from .events import events
from .export import export
from .file_formats import TABLE, VIDEO, format_of
from .label import label
from .option_types import Number, Size
from .options import (
    analysis_options,
    face_option,
    output_options,
    refuse_unused_theme,
    take_outputs,
    take_settings,
    theme_option,
)
from .output_files import OutputFile, keep_existing, overwrite_option, refuse_input
from .process import process
from .report import report
from .serve import serve
from .slurm import slurm
from .summary import summary
from .train import train
from .verify import verify

log = logging.getLogger("mouth_live")


@click.group(cls=CommandGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mouth-live", prog_name="mouth-live")
@click.option(
    "--camera",
    default="0",
    metavar="SOURCE",
    show_default=True,
    shell_complete=complete_files,
    help="Camera index, URL, device, part of a camera's name, or a video file.",
)
@click.option("--no-window", is_flag=True, help="Run without a screen.")
@click.option("--csv", "csv_path", type=OutputFile(), help="Write the readings to this file ('-' is stdout).")
@click.option("--record", type=OutputFile(), help="Write the annotated video to this file.")
@click.option("--mirror", is_flag=True, help="Show the picture as in a mirror (not the text).")
@theme_option
@click.option("--size", type=Size(), help="Ask the camera for this picture size.")
@click.option("--fps", type=Number(0, min_open=True), help="Ask the camera for this frame rate.")
@overwrite_option
@analysis_options(events=True)
@face_option
@output_options
@click.pass_context
def cli(ctx: click.Context, **options: Any) -> None:  # noqa: ANN401
    """Measure mouth openness from 0 (closed) to 1 (fully open) for every face, in live or recorded video.

    \b
    Try it
      mouth-live demo                       without a camera
      mouth-live                            your first camera, in a window
      mouth-live --camera clip.mp4          a video file as if live

    \b
    Work with recordings
      mouth-live process talk.mp4           a table, one row per face and frame
      mouth-live process clips/ -o tables/  a folder of them
      mouth-live events talk.mp4 -o talk.TextGrid
                                            when lips move, for Praat

    \b
    Use it live
      mouth-live --to 'osc://127.0.0.1?preset=vrchat'
                                            drive an app: docs/outputs.md
      mouth-live --csv live.csv --record live.mp4 --theme broadcast
                                            keep what you see
      mouth-live doctor                     when something is not as it should be

    Keys in the window: h shows them, q or Esc ends. Nothing is sent over the network except by --to.
    """  # noqa: D301
    if ctx.invoked_subcommand:
        given = [name for name in options if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]
        if given:
            flag = next(p.opts[0] for p in cli.params if p.name == given[0])
            raise click.UsageError(f"{flag} is for live video; it cannot be combined with '{ctx.invoked_subcommand}'")
        return
    refuse_unused_theme(not options["no_window"] or options["record"] is not None, "add --record, or show the window")
    refuse_input([options["csv_path"], options["record"]], [options["camera"]])
    format_of(options["csv_path"], TABLE)
    format_of(options["record"], VIDEO)
    keep_existing([options["csv_path"], options["record"]], options["overwrite"])
    settings = take_settings(options)
    outputs = take_outputs(options, settings.limits)
    if str(options["csv_path"]) == "-" and any(output.uses_stdout for output in outputs):
        raise click.UsageError("--csv - and another output both write to stdout; give the CSV a file")
    from .live import LiveOptions, run_live

    run_live(LiveOptions(outputs=outputs, **options), settings)


COMMANDS = (
    process,
    events,
    summary,
    report,
    serve,
    verify,
    slurm,
    demo,
    calibrate,
    devices,
    doctor,
    label,
    train,
    evaluate,
    export,
    completion,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with the code for the way it ended (docs/reference.md, Exit codes)."""

    def run_cli() -> None:
        """Run the command that the arguments name."""
        if complete(cli):
            return
        # Not cli.main(): it turns a closed stdout into exit code 1.
        with cli.make_context("mouth-live", sys.argv[1:]) as ctx:
            cli.invoke(ctx)

    end_with_exit_code(run_cli)


def end_with_exit_code(program: Callable[[], None]) -> None:
    """Run a program and exit with the code for the way it ended."""
    _log_to_stderr()
    RaiseOnce().install()
    code = _exit_code(program)
    RaiseOnce.ignore_all()
    sys.exit(code)


def _exit_code(program: Callable[[], None]) -> int:  # noqa: PLR0911
    try:
        program()
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        advice = f"; see {context.command_path} --help" if context else ""
        message = " ".join(line.strip() for line in error.format_message().splitlines())
        log.error("%s%s", message.rstrip("."), advice)
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
        _discard_stdout()
        return 0
    except OSError as error:  # without a file name it is stdout, on a full disk
        log.error("%s: cannot use it (%s)", error.filename or "stdout", error.strerror or error)
        _discard_stdout()
        return 1
    except MemoryError:
        log.error("out of memory; close other programs or process smaller pictures")
        return 1
    return 0


def _discard_stdout() -> None:
    """Send stdout nowhere: what Python still flushes at exit must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _log_to_stderr() -> None:
    """Send log lines to stderr, warnings and errors with their level."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        return f"mouth-live: {level}{escape_control_characters(record.getMessage())}"

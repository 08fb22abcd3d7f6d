"""The options for work on many recordings, which ``process`` and ``events`` share."""

from typing import TYPE_CHECKING, Any

import click

from .options import AnyFunction, Option, add_options
from .output_files import overwrite_option

if TYPE_CHECKING:
    from .recordings.run import RunOptions


class Workers(click.ParamType):  # pyright: ignore[reportMissingTypeArgument]
    """A number of recordings at once; None for ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:  # noqa: ANN401
        """Return the number; None for ``auto``."""
        text = str(value)
        if text == "auto":
            return None
        if not text.isdecimal() or not int(text):
            self.fail(f"expected a number from 1 on, or auto, got {value!r}", param, ctx)
        return int(text)


_OPTIONS: list[Option[Any]] = [
    overwrite_option,
    click.option(
        "-j",
        "--jobs",
        "workers",
        type=Workers(),
        default="auto",
        show_default=True,
        help="Processes: each has a recording, or three and more share a long one. auto goes by cores and memory, of "
        "which a process needs 0.3 GB.",
    ),
    click.option(
        "--track",
        type=click.IntRange(min=0),
        metavar="N",
        help="Read this video track of files that have several, from 0; default: the one that the file marks as "
        "default.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Leave out recordings whose path below the input, or a part of it, matches; may be repeated.",
    ),
    click.option(
        "--shard",
        metavar="I/N",
        help="Take the I-th of N equal parts of the recordings. Default in a SLURM job array: the task's part; 1/1 "
        "takes all.",
    ),
    click.option("--retry-failed", is_flag=True, help="Take only the inputs that OUT/failed.csv lists."),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Have Dask workers do the work, those of tcp://scheduler:8786 for example; local starts some here, config "
        "takes what Dask's configuration names. Needs the extra [cluster].",
    ),
    click.option(
        "--map",
        "maps",
        multiple=True,
        metavar="HERE=THERE",
        help="With --cluster: the folder HERE is THERE on the workers; may be repeated.",
    ),
    click.option(
        "--send",
        is_flag=True,
        help="With --cluster: send recordings to the workers and products back, for they share no file system.",
    ),
]


def recordings_options(function: AnyFunction) -> AnyFunction:
    """Add the options for work on many recordings, all but ``--dry-run``; :func:`take_run_options` reads them."""
    return add_options(_OPTIONS, function)


def take_run_options(options: dict[str, Any]) -> "tuple[RunOptions, tuple[str, ...], int | None]":
    """Take the options for work on many recordings out of ``options``.

    Returns:
        How to go about the run, the patterns to leave out, and the video track to read.

    Raises:
        UsageError: ``--shard`` is none, or the options for a cluster contradict each other.
    """
    from .recordings.cluster.options import parse_cluster
    from .recordings.run import RunOptions
    from .recordings.shards import parse_shard, slurm_shard

    shard, workers = options.pop("shard"), options.pop("workers")
    cluster = parse_cluster(options.pop("cluster"), options.pop("maps"), options.pop("send"), workers)
    run = RunOptions(
        overwrite=options.pop("overwrite"),
        workers=workers,
        dry_run=options.pop("dry_run"),
        shard=parse_shard(shard) if shard else slurm_shard(),
        retry_failed=options.pop("retry_failed"),
        cluster=cluster,
    )
    return run, options.pop("exclude"), options.pop("track")

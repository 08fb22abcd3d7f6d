"""``mouth-live slurm``: print a script for a job array of SLURM."""

import shlex

import click

from .completion import complete_files

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=mouth-live
#SBATCH --array=1-{tasks}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cores}
#SBATCH --mem={memory}M
#SBATCH --time={hours}:00:00
#SBATCH --output=mouth-live-%A-%a.log
#SBATCH --requeue

# Submit it with: sbatch FILE. Each task takes its part of the recordings.
# Submitted again, it does what is not complete.
srun {command} --shard "$SLURM_ARRAY_TASK_ID"/{tasks} --jobs {cores}
"""
MEMORY = 400  # MB for each process, and some room


@click.command(short_help="Print a job script for a cluster.", context_settings={"ignore_unknown_options": True})
@click.argument(
    "arguments",
    nargs=-1,
    required=True,
    type=click.UNPROCESSED,
    metavar="INPUT... -o OUT [OPTION...]",
    shell_complete=complete_files,
)
@click.option("--tasks", type=click.IntRange(min=1), default=8, show_default=True, help="Tasks of the job array.")
@click.option("--cores", type=click.IntRange(min=1), default=4, show_default=True, help="Cores of each task.")
@click.option("--hours", type=click.IntRange(min=1), default=8, show_default=True, help="Time limit of each task.")
def slurm(arguments: tuple[str, ...], tasks: int, cores: int, hours: int) -> None:
    """Print a ready sbatch script that processes recordings in a job array of SLURM.

    The arguments are those of mouth-live process. OUT must be on a file system that all nodes share.

    \b
    mouth-live slurm recordings/ -o tables/ --tasks 20 > job.sh
    sbatch job.sh
    """  # noqa: D301
    if not {"-o", "--output"} & {argument.partition("=")[0] for argument in arguments}:
        raise click.UsageError("give the output folder, -o OUT, on a file system that all nodes share")
    command = shlex.join(["mouth-live", "process", *arguments])
    click.echo(SCRIPT.format(tasks=tasks, cores=cores, memory=cores * MEMORY, hours=hours, command=command), nl=False)

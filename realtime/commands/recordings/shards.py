"""Shards: the part of the recordings that one of several runs takes, such as a task of a SLURM job array."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ....models.errors import UsageError

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` equal parts.

    Attributes:
        number: from 1.
        count: of all parts.
        origin: where it was set, for messages.
    """

    number: int
    count: int
    origin: str = "--shard"

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Return this part of the items; the parts of all numbers together are all items, each once."""
        return list(items[self.number - 1 :: self.count])


def parse_shard(text: str) -> Shard:
    """Return the shard that ``I/N`` names, such as ``3/8``.

    Raises:
        UsageError: it is no shard.
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise UsageError(f"--shard {text}: expected I/N with I from 1 to N, such as 3/8")
    return Shard(int(number), int(count))


def slurm_shard(environment: Mapping[str, str] = os.environ) -> Shard | None:
    """Return the shard of a task of a SLURM job array; None outside one.

    Source: sbatch manual, "Job Array" output environment variables.
    """
    try:
        task, count = int(environment["SLURM_ARRAY_TASK_ID"]), int(environment["SLURM_ARRAY_TASK_COUNT"])
        first, step = int(environment.get("SLURM_ARRAY_TASK_MIN", 0)), int(environment.get("SLURM_ARRAY_TASK_STEP", 1))
    except (KeyError, ValueError):
        return None
    number = (task - first) // max(1, step) + 1
    return Shard(number, count, "SLURM_ARRAY_TASK_ID") if count > 1 and 1 <= number <= count else None

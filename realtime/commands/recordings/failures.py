"""``failed.csv`` in the output folder: the recordings that failed, with the reason, for people and --retry-failed."""

import csv
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from ....models.errors import BusyError, SinkError, UsageError
from ....models.whole_file import whole_file

NAME = "failed.csv"
COLUMNS = ("input", "reason")
PATIENCE = 10.0  # s to wait for another run that writes the list


def read_failures(folder: Path) -> dict[str, str]:
    """Return the recordings that failed in earlier runs into a folder, with the reasons; empty where none did.

    Raises:
        UsageError: there is no such folder, or the list cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder, so nothing has failed in it; give the -o of the earlier run")
    try:
        with (folder / NAME).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return {row["input"]: row["reason"] for row in csv.DictReader(file)}
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, ValueError):
        raise UsageError(f"{folder / NAME}: cannot be read as a list of failed inputs; remove it") from None


def record_failures(folder: Path, tried: Collection[Path], failed: Mapping[Path, str]) -> None:
    """Bring the list up to date: what was tried and did not fail is no longer in it; without any the file goes.

    Args:
        folder: the output folder.
        tried: the recordings of this run that are done or failed.
        failed: the reasons by the recordings that failed.

    Raises:
        SinkError: the list cannot be written.
    """
    path, until = folder / NAME, time.monotonic() + PATIENCE
    while True:
        with suppress(BusyError):
            if not failed and not path.exists():
                return
            with whole_file(path, keep_suffix=False, error=SinkError) as part:
                # Read under the lock: another run into the same folder may have its own failures.
                others = {name: why for name, why in read_failures(folder).items() if Path(name) not in tried}
                rows = others | {str(source): reason for source, reason in failed.items()}
                with part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(COLUMNS)
                    writer.writerows(sorted(rows.items()))
            if not rows:
                path.unlink(missing_ok=True)
            return
        if time.monotonic() > until:
            raise SinkError(f"{path}: another run has been writing it for {PATIENCE:g} s; failures are not listed")
        time.sleep(0.05)

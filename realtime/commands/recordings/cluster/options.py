"""Which cluster a run uses, and how recordings and products get there and back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .....models.errors import UsageError

LOCAL, CONFIGURED = "local", "config"
_ADDRESS = re.compile(r"[a-z]+://[^\s/]+")


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which cluster a run uses, and how.

    Attributes:
        address: a scheduler's, such as ``"tcp://node1:8786"``; ``"local"`` starts one on this machine, and
            ``"config"`` takes what Dask's configuration names.
        maps: (folder here, the same folder on the workers) each, both absolute.
        send: send the recordings to the workers and get the products back, for they share no file system.
        workers: the number of workers of a local cluster; None: by cores and memory.
    """

    address: str
    maps: tuple[tuple[Path, str], ...] = ()
    send: bool = False
    workers: int | None = None

    def there(self, path: Path) -> str:
        """Return the path of a file on the workers."""
        whole = Path.cwd() / path
        fits = [(here, there) for here, there in self.maps if whole.is_relative_to(here)]
        if not fits:
            return str(whole)
        here, there = max(fits, key=lambda pair: len(pair[0].parts))
        rest = whole.relative_to(here).as_posix()
        return there if rest == "." else f"{there}/{rest}"

    def there_model(self, model: str) -> str:
        """Return the openness network's weights on the workers: a name as it is, the path of a file there."""
        return self.there(Path(model)) if Path(model).suffix == ".tflite" else model


def parse_cluster(
    address: str | None, maps: Sequence[str], send: bool, workers: int | None = None
) -> ClusterOptions | None:
    """Return the cluster that the options of the command line name; None where they name none.

    Raises:
        UsageError: they contradict each other, or an address or a pair of folders is none.
    """
    if address is None:
        if maps or send:
            raise UsageError(f"{'--map' if maps else '--send'} needs --cluster")
        return None
    if address not in {LOCAL, CONFIGURED} and not _ADDRESS.fullmatch(address):
        raise UsageError(f"--cluster {address}: expected an address such as tcp://scheduler:8786, local, or config")
    if workers is not None and address != LOCAL:
        raise UsageError(f"--jobs is for this machine and --cluster local; leave it out with --cluster {address}")
    return ClusterOptions(address, tuple(_pair(text) for text in maps), send, workers)


def _pair(text: str) -> tuple[Path, str]:
    here, _, there = text.partition("=")
    if not here or not there:
        raise UsageError(f"--map {text}: expected HERE=THERE, such as /Volumes/lab=/srv/lab")
    return Path.cwd() / here, there.rstrip("/") or "/"

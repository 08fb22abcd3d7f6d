"""Connect with a Dask cluster: a local one, one with an address, or what Dask's configuration names."""

import logging
import warnings
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any, cast

from .....models.errors import ClusterError, MissingExtraError, UsageError
from .options import CONFIGURED, LOCAL, ClusterOptions

CONNECT_TIMEOUT = 10  # s
WORKER_MODULE = f"{__package__}.worker_side"
CONFIG_KEY = "mouth-live.cluster"
_TALKATIVE = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio")


@contextmanager
def connected(cluster: ClusterOptions, workers: int) -> Generator[Any]:
    """Connect with a cluster; what was started for it ends with the block.

    Args:
        cluster: which one.
        workers: the number of workers of a local one.

    Yields:
        A ``distributed.Client``.

    Raises:
        MissingExtraError: Dask is not installed.
        UsageError: Dask's configuration names no cluster, or none that can be made.
        ClusterError: the cluster does not answer or cannot be started.
    """
    with ExitStack() as closing:
        name = cluster.address
        try:
            dask, distributed = _load_dask()
            target = name
            if name == LOCAL:
                target = closing.enter_context(_local_cluster(dask, distributed, workers))
            elif name == CONFIGURED:
                target = _configured(dask.config, closing)
            name = target if isinstance(target, str) else name
            client = distributed.Client(target, timeout=CONNECT_TIMEOUT, set_as_default=False)
        except ImportError:
            raise MissingExtraError("--cluster", "cluster") from None
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ClusterError(f"--cluster {name}: no Dask scheduler answers ({reason}); is it running?") from None
        closing.callback(_close, client)
        yield client


def refuse_loss(client: Any, address: str) -> None:  # noqa: ANN401
    """Do nothing while a cluster's scheduler is there.

    Raises:
        ClusterError: it is gone.
    """
    if client.status != "running":
        raise lost(address)


def lost(address: str) -> ClusterError:
    """Return the error of a scheduler that is gone."""
    return ClusterError(f"{address}: the scheduler is gone; the same command goes on from here")


def _load_dask() -> tuple[Any, Any]:
    """Return the modules dask and distributed; what they would print is reported by this program where it matters."""
    dask, distributed = import_module("dask"), import_module("distributed")
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module="distributed")
    return dask, distributed


def _local_cluster(dask: Any, distributed: Any, workers: int) -> Any:  # noqa: ANN401
    """Start workers on this machine, which only this run can reach: by encrypted connections, without a dashboard."""
    nothing: dict[str, Any] = {f"distributed.{part}.http.routes": [] for part in ("scheduler", "worker")}
    with dask.config.set(nothing):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            silence_logs=logging.CRITICAL + 1,
            security=True,
            preload=[WORKER_MODULE],
        )


def _configured(config: Any, closing: ExitStack) -> Any:  # noqa: ANN401
    """Return the address in Dask's configuration, or the cluster that it describes."""
    if address := config.get("scheduler-address", None):
        return str(address)
    wanted = cast("Mapping[str, Any] | None", config.get(CONFIG_KEY, None))
    if not wanted:
        raise UsageError(
            "--cluster config: Dask's configuration names no cluster; set DASK_SCHEDULER_ADDRESS, or describe one "
            f"under {CONFIG_KEY} (docs/scale.md)"
        )
    try:
        factory = getattr(import_module(str(wanted["module"])), str(wanted["class"]))
        made = closing.enter_context(factory(*wanted.get("args", ()), **wanted.get("kwargs", {})))
        if "adapt" in wanted:
            made.adapt(**wanted["adapt"])
        elif "workers" in wanted:
            made.scale(int(wanted["workers"]))
    except (ImportError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"--cluster config: {CONFIG_KEY} in Dask's configuration: {error!r}") from None
    return made


def _close(client: Any) -> None:  # noqa: ANN401
    with suppress(OSError, RuntimeError):  # the scheduler may be gone
        client.close(timeout=2)

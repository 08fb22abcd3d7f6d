"""What stands already: whether a product of an earlier run is complete, to be made again, or not to be touched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from pathlib import Path

from ...settings import AnalysisSettings
from .manifest import Manifest, Origin, has_manifest, new_manifest, origin_of, read_manifest, same_work
from .plan import Job
from .products import ProductOptions, Target

REPLACE = "--overwrite replaces it"


class Standing(Enum):
    """What is to be done about a product."""

    OPEN = "to be made"
    DONE = "complete"
    KEPT = "kept, though it is not what this run would make"


@dataclass(frozen=True, slots=True)
class Status:
    """The standing of a product, with the reason in words where there is one.

    Attributes:
        standing: what is to be done about it.
        reason: of an open one why it is made again, of a kept one why it is kept.
        manifest: of a complete one.
    """

    standing: Standing
    reason: str = ""
    manifest: Manifest | None = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The standing of a recording's products.

    Attributes:
        job: the recording with the products that are to be made; none where there are none.
        notes: lines about products that are kept, or made again.
        done: the manifests of complete products.
    """

    job: Job
    notes: tuple[str, ...]
    done: tuple[Manifest, ...]


def job_status(job: Job, settings: AnalysisSettings, options: ProductOptions, overwrite: bool) -> JobStatus:
    """Compare a recording's products with their manifests.

    Raises:
        MouthLiveError: the weights or the profile cannot be read.
    """
    if overwrite:
        return JobStatus(job, (), ())
    origin = cache(lambda: origin_of(job.source, settings))  # read once, and only where there is a product
    statuses = [(target, _status(target, origin, options)) for target in job.targets]
    targets = tuple(target for target, status in statuses if status.standing is Standing.OPEN)
    notes = tuple(f"{target.path}: {status.reason}" for target, status in statuses if status.reason)
    done = tuple(status.manifest for _, status in statuses if status.manifest is not None)
    return JobStatus(replace(job, targets=targets), notes, done)


def _status(target: Target, origin: Callable[[], Origin], options: ProductOptions) -> Status:
    path = Path(target.path)
    if not has_manifest(target) or not path.is_file():
        return Status(Standing.OPEN)
    found = read_manifest(path)
    if found is None:
        return Status(Standing.KEPT, f"exists already, kept ({REPLACE})")
    if found.finished and not found.describes(path):
        return Status(Standing.KEPT, f"was changed after it was made, kept ({REPLACE})")
    try:
        return _compared(found, new_manifest(target, origin(), options), path)
    except OSError:  # opening the recording says why
        return Status(Standing.OPEN)


def _compared(found: Manifest, wanted: Manifest, path: Path) -> Status:
    """Return the standing of a product that is as it was made, by its manifest and that of what is wanted."""
    differences = same_work(found, wanted)
    if found.content.sample_sha256 != wanted.content.sample_sha256 and found.input != wanted.input:
        return Status(Standing.KEPT, f"was made from {found.input_path(path)}, kept ({REPLACE})")
    if not found.finished:
        return Status(Standing.OPEN)
    if differences:
        return Status(Standing.OPEN, f"is made again, for {' and '.join(differences)} changed")
    return Status(Standing.DONE, manifest=found)

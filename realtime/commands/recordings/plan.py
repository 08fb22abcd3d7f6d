"""The plan of a run: the products of every recording, named and checked before any work starts."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import SinkError, UsageError
from ..file_formats import STDOUT
from ..output_files import Clash, refuse_clashes
from .inputs import Recording, find_recordings
from .products import SUFFIXES, Kind, Target


@dataclass(frozen=True, slots=True)
class Job:
    """One recording and the products to make of it in one pass.

    Attributes:
        source: a video, a picture, or a folder of pictures.
        targets: the products.
    """

    source: Path
    targets: tuple[Target, ...]

    def as_data(self) -> dict[str, object]:
        """Return the job as data that JSON can hold, for another process."""
        targets = [{"kind": t.kind, "format": t.format, "path": str(t.path)} for t in self.targets]
        return {"source": str(self.source), "targets": targets}

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> "Job":
        """Make the job from what :meth:`as_data` returned; its products are files."""
        targets: list[dict[str, str]] = data["targets"]  # type: ignore[assignment]
        made = (Target(kind=t["kind"], format=t["format"], path=Path(t["path"])) for t in targets)  # type: ignore[arg-type]
        return cls(Path(str(data["source"])), tuple(made))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of product that is wanted of each recording.

    Attributes:
        kind: a table of readings, events, or an annotated video.
        format: its format.
        output: for one recording a file, ``"-"`` or a folder; for several a folder. None: beside the first product, or
            in the current folder.
    """

    kind: Kind
    format: str
    output: str | None = None


def plan_jobs(inputs: Sequence[str], wanted: Sequence[Wanted], several: bool, exclude: Sequence[str] = ()) -> list[Job]:
    """Find the recordings and name their products; nothing is made yet.

    Args:
        inputs: videos, pictures, folders (searched recursively) and globs.
        wanted: the kinds of products.
        several: whether the inputs can name several recordings, as :func:`.names_several` says.
        exclude: patterns of recordings to leave out.

    Raises:
        UsageError: ``"-"`` is given for several inputs, two products have one name, a product is an input, or a name
            ends as that of a folder and there is none.
        SourceError: a folder or a glob contains no recordings.
    """
    if several and any(product.output == STDOUT for product in wanted):
        raise UsageError("-o -: several inputs cannot share stdout; give a folder")
    found = find_recordings(inputs, exclude)
    jobs = [Job(item.path, _targets(item, wanted, several)) for item in found]
    _refuse_clashes(jobs)
    return jobs


def make_folders(folder: Path, jobs: Sequence[Job]) -> None:
    """Make the output folder of several recordings, if its parent exists, and those in it that keep the structure.

    Raises:
        SinkError: a folder cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
        for parent in {Path(target.path).parent for job in jobs for target in job.targets}:
            parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{error.filename}: cannot make this folder ({error.strerror}); give another -o") from None


def _targets(item: Recording, wanted: Sequence[Wanted], several: bool) -> tuple[Target, ...]:
    beside: Path | None = None  # the first product that is a file, without its suffix
    targets: list[Target] = []
    for product in wanted:
        path = _path(item, product, several, beside)
        targets.append(Target(product.kind, product.format, path))
        if beside is None and isinstance(path, Path):
            suffix = SUFFIXES[product.kind, product.format]
            beside = (
                path.with_name(path.name.removesuffix(suffix)) if path.name.endswith(suffix) else path.with_suffix("")
            )
    return tuple(targets)


def _path(item: Recording, product: Wanted, several: bool, beside: Path | None) -> Path | str:
    suffix = SUFFIXES[product.kind, product.format]
    if product.output == STDOUT:
        return STDOUT
    if several:
        if product.output is None and beside is not None:
            return Path(f"{beside}{suffix}")
        return Path(f"{Path(product.output or '.') / item.output_stem}{suffix}")
    if product.output is None:
        return Path(f"{beside or item.output_stem.name}{suffix}")
    path = Path(product.output)
    if product.output.endswith(("/", os.sep)) and not path.is_dir():
        raise UsageError(f"{product.output}: there is no such folder; make it, or leave out the last / to name a file")
    return path / f"{item.output_stem.name}{suffix}" if path.is_dir() else path


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    owners: dict[Path, Path] = {}
    sources = {_identity(job.source) for job in jobs}
    clashes: list[Clash] = []
    for job in jobs:
        for target in job.targets:
            if isinstance(target.path, str):
                continue
            path = target.path.resolve()
            if _identity(path) in sources:
                raise UsageError(f"{target.path}: the output would overwrite an input; give another name")
            if path not in owners:
                owners[path] = job.source
            elif owners[path] != job.source or not path.exists() or path.is_file():  # a device may take both of one
                first = owners[path]
                both = f"two outputs of {first}" if first == job.source else f"{first} and {job.source}"
                clashes.append(Clash(both, target.path))
                break  # a job's other outputs clash as well
    refuse_clashes(clashes, "give different names or folders")


def _identity(path: Path) -> object:
    """Return what two names of one file have in common, hard links too; of a missing file its resolved name."""
    try:
        stat = path.stat()
    except OSError:
        return path.resolve()
    return stat.st_dev, stat.st_ino

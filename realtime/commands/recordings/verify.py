"""Verify the products in a folder against their manifests and recordings."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ....models.errors import IncompleteVideoError, SourceError
from ...video.recording_files import visible_files
from ...video.sources import open_video
from .manifest import SUFFIX, Manifest, content_of, manifest_path, read_manifest

MOST_APART = 1e-6  # s between a row's time and its frame's: the table has 6 decimals


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one product.

    Attributes:
        product: its path.
        problems: what is wrong, one line each; none where it is as it should be.
    """

    product: Path
    problems: tuple[str, ...]


def find_products(folder: Path) -> list[Path]:
    """Return the products below a folder that have a manifest, sorted; one may be missing itself."""
    found = (file.with_name(file.name.removesuffix(SUFFIX)) for file in visible_files(folder) if file.suffix == SUFFIX)
    return [product for product in found if read_manifest(product) or _has_damaged_manifest(product)]


def verify_products(folder: Path, quick: bool = False) -> Iterator[Verdict]:
    """Compare each product below a folder with its manifest, and the manifest with the recording.

    Args:
        folder: the output folder of earlier runs.
        quick: do not decode the recordings to compare frames and times.

    Yields:
        A verdict for each product, in the order of their names.
    """
    decoded: dict[tuple[Path, object], list[float]] = {}
    for product in find_products(folder):
        manifest = read_manifest(product)
        if manifest is None:
            yield Verdict(product, (f"{product.name}{SUFFIX} beside it is damaged; run the same command again",))
            continue
        problems = list(_product_problems(product, manifest))
        if not problems:
            problems += _recording_problems(product, manifest, None if quick else decoded)
        yield Verdict(product, tuple(problems))


def _has_damaged_manifest(product: Path) -> bool:
    """Return whether a product's manifest is not JSON, as after a fault of the disk; another program's JSON may be."""
    try:
        json.loads(manifest_path(product).read_text(encoding="utf-8"))
    except ValueError:
        return product.is_file()
    except OSError:
        return False
    return False


def _product_problems(product: Path, manifest: Manifest) -> Iterator[str]:
    if not product.is_file():
        yield "is missing; run the same command again"
    elif not manifest.finished:
        yield "was interrupted while it was completed; run the same command again"
    elif not manifest.matches(product):
        yield "differs from what was written (its SHA-256); was it edited or damaged?"


def _recording_problems(
    product: Path, manifest: Manifest, decoded: dict[tuple[Path, object], list[float]] | None
) -> Iterator[str]:
    if not manifest.whole:
        yield f"is not of the whole recording: {manifest.reason}"
    source = manifest.input_path(product)
    try:
        if content_of(source).sample_sha256 != manifest.content.sample_sha256:
            yield f"was made from another {source}, which has changed since"
            return
    except OSError as error:
        yield f"cannot be compared with {source} ({error.strerror})"
        return
    if decoded is None:
        return
    key = source, manifest.settings.get("track")
    try:
        times = decoded[key] if key in decoded else _frame_times(*key)
    except SourceError as error:
        yield f"cannot be compared with its recording: {error}"
        return
    decoded.clear()  # products of one recording are neighbours
    decoded[key] = times
    yield from _frame_problems(product, manifest, times)


def _frame_times(source: Path, track: object) -> list[float]:
    """Return the times of all frames that can be decoded, in seconds since the first."""
    times: list[float] = []
    try:
        with open_video(source, track if isinstance(track, int) else None) as video:
            times += (frame.time for frame in video)
    except IncompleteVideoError:
        pass  # the manifest tells that too
    return times


def _frame_problems(product: Path, manifest: Manifest, times: list[float]) -> Iterator[str]:
    if manifest.frames != len(times):
        yield f"has {manifest.frames} frames, of the recording {len(times)} are decoded"
    if (manifest.kind, manifest.format) != ("table", "csv"):
        return
    rows, frames, wrong = 0, 0, 0
    with product.open(encoding="utf-8", newline="") as file:
        offset: float | None = 0.0 if not manifest.settings.get("media_time") else None
        for row in csv.DictReader(file):
            rows, frames = rows + 1, int(row["frame"]) + 1
            time = float(row["timestamp"])
            offset = time - times[0] if offset is None and times else offset
            wrong += frames > len(times) or abs(times[frames - 1] + (offset or 0.0) - time) > MOST_APART
    if rows != manifest.rows:
        yield f"has {rows} rows, its manifest says {manifest.rows}"
    if frames != manifest.frames:
        yield f"its last row is of frame {frames - 1}, of {manifest.frames} frames"
    if wrong:
        yield f"{wrong} of {rows} rows have another time than their frame"

"""Manifests: a JSON file beside each product that says what it was made from, and whether that was whole."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self, cast

from ....models.errors import MouthLiveError, SinkError
from ....models.lazy_names import VERSION
from ....models.weights_file import DETECTOR, FACE_CHECK, companion
from ....models.whole_file import is_stream, whole_file
from ...lips.profiles import load_profile
from ...settings import AnalysisSettings
from ...video.recording_files import is_hidden, is_picture_name
from .places import HERE, Places
from .products import ProductOptions, Target

SUFFIX = ".json"  # follows the product's whole name
FORMAT = 1  # of manifests
_WORDS = {"limits": "the limits of events", "media_time": "--time", "interval_kind": "--kind"}
SAMPLE = 1 << 16  # bytes hashed at a file's head, middle and tail


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content, so that it is recognised under another name and after a copy.

    Attributes:
        size: in bytes.
        modified: the time of its last change, in seconds since 1970; for people, and not compared.
        sample_sha256: the SHA-256 of its size, head, middle and tail.
    """

    size: int
    modified: float
    sample_sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What all products of one recording are made from.

    Attributes:
        source: the path of the recording.
        content: its content.
        settings: those of the analysis on which values depend.
        weights: the SHA-256 of each network, by its task.
    """

    source: Path
    content: Content
    settings: dict[str, Any]
    weights: dict[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a product was made from.

    Attributes:
        mouth_live_manifest: the format of manifests, 1.
        version: the version of mouth-live.
        kind: ``"table"``, ``"events"`` or ``"video"``.
        format: the product's format.
        input: the recording's path, relative to the manifest's folder.
        content: the recording's content.
        settings: all that the product's content depends on, besides the recording and the weights.
        weights: the SHA-256 of each network, by its task.
        finished: whether the product is complete; False while it gets its name.
        frames: the number of frames that were analysed.
        seconds: the length of the recording in seconds.
        faces: the number of different faces.
        rows: the number of rows, lines or intervals in the product; 0 for a video.
        whole: whether the recording was read to its end.
        reason: why not; else empty.
        exit_code: what the command returned for that: 1 for a recording that is cut off.
        size: the product's, in bytes.
        modified: the time of the product's last change, in nanoseconds since 1970.
        sha256: the product's.
    """

    mouth_live_manifest: int
    version: str
    kind: str
    format: str
    input: str
    content: Content
    settings: dict[str, Any]
    weights: dict[str, str]
    finished: bool = False
    frames: int = 0
    seconds: float = 0.0
    faces: int = 0
    rows: int = 0
    whole: bool = True
    reason: str = ""
    exit_code: int = 0
    size: int = 0
    modified: int = 0
    sha256: str = ""

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Self:
        """Make the manifest from its JSON data.

        Raises:
            TypeError, ValueError: these are no data of a manifest.
        """
        if data.get("mouth_live_manifest") != FORMAT:
            raise ValueError("not a manifest")
        known = {item.name for item in fields(cls)}
        given: dict[str, Any] = {name: value for name, value in data.items() if name in known}
        given["content"] = Content(**data["content"])
        return cls(**given)

    def of_product(self, product: Path) -> Self:
        """Return the finished manifest of a complete product, with the product's size, time and hash."""
        stat = product.stat()
        return replace(self, finished=True, size=stat.st_size, modified=stat.st_mtime_ns, sha256=_sha256(product))

    def describes(self, product: Path) -> bool:
        """Return whether a product is still what it was when it was made."""
        stat = product.stat()
        if stat.st_size != self.size:
            return False
        return stat.st_mtime_ns == self.modified or self.matches(product)  # another time: it was copied, perhaps

    def matches(self, product: Path) -> bool:
        """Return whether a product has the bytes that it was made with; it is read as a whole."""
        return _sha256(product) == self.sha256

    def input_path(self, product: Path) -> Path:
        """Return the path of the recording, from the product's folder."""
        return Path(os.path.normpath(product.parent / self.input))


def manifest_path(product: Path) -> Path:
    """Return the path of a product's manifest."""
    return product.with_name(product.name + SUFFIX)


def has_manifest(target: Target) -> bool:
    """Return whether a product gets a manifest: stdout, devices and pipes do not."""
    return isinstance(target.path, Path) and not is_stream(target.path)


def is_product(path: Path) -> bool:
    """Return whether a file was made by this program, by its manifest."""
    return manifest_path(path).is_file() and read_manifest(path) is not None


def read_manifest(product: Path) -> Manifest | None:
    """Return the manifest beside a product; None where there is none that can be read."""
    try:
        data = cast("object", json.loads(manifest_path(product).read_text(encoding="utf-8")))
        return Manifest.from_data(cast("dict[str, Any]", data)) if isinstance(data, dict) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_manifest(product: Path, manifest: Manifest) -> None:
    """Write a product's manifest.

    Raises:
        SinkError: it cannot be written.
    """
    with whole_file(manifest_path(product), keep_suffix=False, error=SinkError) as part:
        part.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")


def origin_of(source: Path, settings: AnalysisSettings, places: Places = HERE) -> Origin:
    """Return what all products of a recording are made from; ``places`` has the files on this machine.

    Raises:
        OSError: the recording cannot be read.
        MouthLiveError: the weights or the profile cannot be read.
    """
    return Origin(
        places.named(source),
        content_of(places.local(source)),
        settings_data(settings),
        weights_hashes(places.local_settings(settings)),
    )


def new_manifest(target: Target, origin: Origin, options: ProductOptions, places: Places = HERE) -> Manifest:
    """Return the manifest of a product that is still to be made."""
    return Manifest(
        FORMAT,
        VERSION,
        target.kind,
        target.format,
        _relative(origin.source, places.named(Path(target.path)).parent),
        origin.content,
        origin.settings | options.concerning(target.kind),
        origin.weights,
    )


def content_of(source: Path) -> Content:
    """Return the content of a file, or of a folder of pictures.

    Raises:
        OSError: it cannot be read.
    """
    if not source.is_dir():
        stat = source.stat()
        return Content(stat.st_size, stat.st_mtime, _sample(source, stat.st_size).hex())
    pictures = sorted(file for file in source.iterdir() if is_picture_name(file) and not is_hidden(file.name))
    digest, size, modified = hashlib.sha256(), 0, 0.0
    for picture in pictures:
        stat = picture.stat()
        size, modified = size + stat.st_size, max(modified, stat.st_mtime)
        digest.update(os.fsencode(picture.name) + _sample(picture, stat.st_size))
    return Content(size, modified, digest.hexdigest())


def settings_data(settings: AnalysisSettings) -> dict[str, Any]:
    """Return the settings on which values depend: a profile by its numbers, the model by its hash, no device."""
    data = settings.as_data()
    del data["device"], data["gpu_memory"], data["model"]
    if settings.profile is not None:
        profile = load_profile(settings.profile)
        smooth = {} if profile.smooth is None else {"smooth": profile.smooth}
        data["profile"] = {"closed": profile.closed, "wide": profile.wide, **smooth}
    return cast("dict[str, Any]", json.loads(json.dumps(data)))


def weights_hashes(settings: AnalysisSettings) -> dict[str, str]:
    """Return the SHA-256 of each network that the settings use, by its task, as their cards state them."""
    names = {
        "openness": settings.model,
        "detection": DETECTOR,
        "face-check": FACE_CHECK,
    }
    return {task: _card_hash(name) for task, name in names.items()}


def same_work(one: Manifest, other: Manifest) -> Sequence[str]:
    """Return what differs in the content, settings and weights of two manifests, as words; empty: nothing."""
    differences = [] if one.content.sample_sha256 == other.content.sample_sha256 else ["the recording"]
    names = sorted(one.settings.keys() | other.settings.keys())
    differences += [
        _WORDS.get(name, f"--{name.replace('_', '-')}")
        for name in names
        if one.settings.get(name) != other.settings.get(name)
    ]
    return differences + ([] if one.weights == other.weights else ["the weights"])


def _card_hash(name: str) -> str:
    try:
        card = cast("object", json.loads(companion(name, ".json").read_text(encoding="utf-8")))
        return str(cast("dict[str, Any]", card)["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise MouthLiveError(f"{name}: its card cannot be read; reinstall mouth-live or give another --model") from None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sample(file: Path, size: int) -> bytes:
    """Return the SHA-256 of a file's size, head, middle and tail."""
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as content:
        for start in sorted({0, max(0, size // 2 - SAMPLE // 2), max(0, size - SAMPLE)}):
            content.seek(start)
            digest.update(content.read(SAMPLE))
    return digest.digest()


def _relative(source: Path, folder: Path) -> str:
    try:
        return os.path.relpath(source, folder)
    except ValueError:  # on another drive
        return str(source.absolute())

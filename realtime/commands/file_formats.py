"""The formats that each output can have, and the endings of file names that choose them: the same at every door."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...models.errors import UsageError
from ...models.whole_file import is_stream

STDOUT = "-"
JSON = "json"
_FOREIGN = {".xlsx", ".xls", ".ods", ".tsv", ".pdf"}  # nothing of ours, but not the name of a folder either


@dataclass(frozen=True, slots=True)
class Product:
    """A kind of output.

    Attributes:
        what: the words for it in messages.
        endings: the format for each ending, in lower case.
        needs_ending: whether a name without an ending is refused; else it gets the usual format.
    """

    what: str
    endings: Mapping[str, str]
    needs_ending: bool = False


TABLE = Product("a table", {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"})
VIDEO = Product("a video", dict.fromkeys((".mp4", ".m4v", ".mov", ".mkv"), "video"), needs_ending=True)
EVENTS = Product(
    "lip events",
    {
        ".jsonl": JSON,
        ".json": JSON,
        ".ndjson": JSON,
        ".textgrid": "textgrid",
        ".txt": "audacity",
        ".vtt": "vtt",
        ".srt": "srt",
        ".eaf": "elan",
        ".boris": "boris",
        ".csv": "csv",
    },
)
REPORT = Product("a report", {".json": JSON})
PNG = Product("a figure", {".png": "png"}, needs_ending=True)
SVG = Product("a figure", {".svg": "svg"}, needs_ending=True)
SUMMARY = Product("a summary", {".csv": "csv", ".html": "html", ".htm": "html"})
PAGE = Product("a page", {".html": "html", ".htm": "html"})
NETWORK = Product("a network", {".tflite": "tflite"}, needs_ending=True)
FORMAT_NAMES = tuple(dict.fromkeys(EVENTS.endings.values()))
TABLE_FORMATS = tuple(TABLE.endings.values())
SUMMARY_FORMATS = tuple(dict.fromkeys(SUMMARY.endings.values()))
_FILE_ENDINGS = _FOREIGN.union(*(one.endings for one in (TABLE, VIDEO, EVENTS, REPORT, PAGE, PNG, SVG, NETWORK)))


def format_of(path: Path | str | None, product: Product, given: str | None = None) -> str | None:
    """Return the format in which an output is written.

    Args:
        path: the file; None, ``-``, a device or a pipe says nothing about the format.
        product: the kind of output.
        given: the format that the user asked for by name; None for none.

    Returns:
        The format that the name's ending or ``given`` chooses; None where neither does.

    Raises:
        UsageError: the product is not written in files of this name, ``given`` is another format, or it is a folder.
    """
    if path is None or str(path) == STDOUT or is_stream(Path(path)):
        return given
    if Path(path).is_dir():
        raise UsageError(f"{path}: a folder; name a file in it")
    ending = Path(path).suffix.lower()
    if not ending and not product.needs_ending:
        return given
    found = product.endings.get(ending)
    if found is None:
        how = f"as {ending}" if ending else "without an ending"
        raise UsageError(f"{path}: cannot write {product.what} {how}; the name must end in {_any_of(product.endings)}")
    if given is not None and given != found:
        raise UsageError(f"{path}: this ending means --format {found}, not {given}; leave --format out or rename it")
    return found


def refuse_file_name(folder: Path) -> None:
    """Refuse an output folder whose name is that of a file.

    Raises:
        UsageError: the name ends as a file's does.
    """
    ending = folder.suffix.lower()
    if ending in _FILE_ENDINGS:
        raise UsageError(f"{folder}: the outputs go into a folder, and {ending} is a file's ending; name a folder")


def format_of_output(output: str | None, product: Product, given: str | None, several: bool) -> str | None:
    """Return the format of an output that is a file for one recording and a folder for several.

    Args:
        output: the file or the folder, as on the command line.
        product: the kind of output.
        given: the format that the user asked for by name; None for none.
        several: whether it is a folder for several recordings.

    Returns:
        The format that the file's ending or ``given`` chooses; None where neither does.

    Raises:
        UsageError: the file has another ending, or the folder the name of a file.
    """
    if output is not None and (several or Path(output).is_dir()):
        refuse_file_name(Path(output))
        return given
    return format_of(output, product, given)


def _any_of(endings: Mapping[str, str]) -> str:
    *others, last = endings
    return f"{', '.join(others)} or {last}" if others else last

"""A user's own avatar for OBS: two to five PNG pictures, from a closed mouth to an open one."""

from pathlib import Path

from ....models.errors import SourceError

MIN_PICTURES, MAX_PICTURES = 2, 5
MAX_BYTES = 16 << 20  # of one picture
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_avatar(folder: Path) -> tuple[bytes, ...]:
    """Return the PNG files of a folder, in the order of their names.

    Raises:
        SourceError: there is no such folder, it has not two to five such files, or one is no PNG.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png" and path.is_file())
        if not MIN_PICTURES <= len(paths) <= MAX_PICTURES:
            raise SourceError(f"{folder}: expected 2 to 5 PNG files, from closed to open by name, found {len(paths)}")
        return tuple(_read(path) for path in paths)
    except OSError as error:
        raise SourceError(f"{error.filename or folder}: cannot read this avatar ({error.strerror})") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if not content.startswith(_SIGNATURE):
        raise SourceError(f"{path}: is no PNG picture; save it as one")
    if len(content) > MAX_BYTES:
        raise SourceError(f"{path}: is larger than {MAX_BYTES >> 20} MB; make it smaller")
    return content

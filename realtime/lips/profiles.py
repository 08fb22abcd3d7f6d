"""A person's own range of openness, measured once and kept in the user's configuration folder."""

import json
import logging
import os
import re
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import cast

from ...models.errors import ProfileError
from ...models.whole_file import whole_file

log = logging.getLogger("mouth_live")

SMALLEST_RANGE = 0.1  # of openness, between closed and wide open: less is no range but noise
_NAME = re.compile(r"[\w][\w .-]{0,63}")


@dataclass(frozen=True, slots=True)
class Profile:
    """What the network reads of one person.

    Attributes:
        name: the person's, as given on the command line.
        closed: openness read while the mouth was closed, 0..1.
        wide: openness read while it was wide open, 0..1, above ``closed``.
        model: the weights that read it; another network may read the person otherwise.
    """

    name: str
    closed: float
    wide: float
    model: str = ""

    def __post_init__(self) -> None:
        """Check the range.

        Raises:
            ValueError: not finite, outside 0..1, or too small a range.
        """
        if not (isfinite(self.closed) and isfinite(self.wide) and self.closed >= 0 and self.wide <= 1):
            raise ValueError(f"closed, wide: expected openness from 0 to 1, got {self.closed:g} and {self.wide:g}")
        if self.wide - self.closed < SMALLEST_RANGE:
            raise ValueError(
                f"closed {self.closed:.2f}, wide {self.wide:.2f}: expected {SMALLEST_RANGE:g} or more apart"
            )

    def fit(self, openness: float) -> float:
        """An openness of the network as a part of the person's own range, 0..1."""
        return min(1.0, max(0.0, (openness - self.closed) / (self.wide - self.closed)))


def profile_folder() -> Path:
    """Where profiles are kept; the environment variable ``MOUTH_LIVE_CONFIG`` names another configuration folder."""
    # Imported here: the command's start stays quick.
    from platformdirs import user_config_path

    other = os.environ.get("MOUTH_LIVE_CONFIG")
    return (Path(other) if other else user_config_path("mouth-live", appauthor=False)) / "profiles"


def profile_path(name: str) -> Path:
    """The file of a person's profile.

    Raises:
        ProfileError: the name cannot be a file's.
    """
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ProfileError(f"profile {name!r}: expected a name of letters, digits, spaces, '-', '_' and '.', up to 64")
    return profile_folder() / f"{name}.json"


def profile_names() -> list[str]:
    """The names of the profiles that there are."""
    folder = profile_folder()
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def load_profile(name: str) -> Profile:
    """A person's profile.

    Raises:
        ProfileError: there is none, or its file is damaged.
    """
    path = profile_path(name)
    try:
        content = cast("object", json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        known = ", ".join(profile_names()) or "none yet"
        raise ProfileError(
            f"no profile {name!r} (there are: {known}); make it with: mouth-live calibrate --profile {name}"
        ) from None
    except OSError as error:
        raise ProfileError(f"{path}: cannot read the profile ({error.strerror}); check its permissions") from None
    except ValueError:
        content = None
    again = f"calibrate again: mouth-live calibrate --profile {name}"
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: not a profile, is the file damaged? {again}")
    values = cast("dict[str, object]", content)
    closed, wide = values.get("closed"), values.get("wide")
    if not isinstance(closed, int | float) or not isinstance(wide, int | float):
        raise ProfileError(f"{path}: 'closed' and 'wide' must be numbers; {again}")
    try:
        return Profile(name, float(closed), float(wide), str(values.get("model", "")))
    except ValueError as error:
        raise ProfileError(f"{path}: {error}; {again}") from None


def save_profile(profile: Profile) -> Path:
    """Write a profile, whole or not at all, readable by its user alone; its file.

    Raises:
        ProfileError: it cannot be written.
    """
    path = profile_path(profile.name)
    with whole_file(path, "; check the folder", keep_suffix=False, error=ProfileError) as part:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(profile), file, indent=2)
            file.write("\n")
    return path


def profile_for(name: str | None, model: str) -> Profile | None:
    """The profile that was asked for; told if other weights than these read it, since those may read otherwise.

    Raises:
        ProfileError: there is none of that name, or its file is damaged.
    """
    if name is None:
        return None
    profile = load_profile(name)
    if profile.model and profile.model != model:
        log.warning("profile %r was measured with %s, not %s; calibrate again", name, profile.model, model)
    return profile

"""A person's own range of openness and limits of events, kept in the user's configuration folder."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from pathlib import Path
from typing import cast

from ...models.errors import ProfileError
from ...models.whole_file import whole_file
from .activity import limits_by_kind
from .limits import Kind, Limits

log = logging.getLogger("mouth_live")

MIN_RANGE = 0.1  # of openness, between closed and wide open; a smaller range is noise
WHOLE_RANGE = 0.0, 1.0  # of the network: a profile that has limits alone
_NAME = re.compile(r"[\w][\w .-]{0,63}")


@dataclass(frozen=True, slots=True)
class Profile:
    """The range of openness that a network reads for one person.

    Attributes:
        name: the person's, as given on the command line.
        closed: the openness read while the mouth was closed, 0..1.
        wide: the openness read while it was wide open, 0..1, above ``closed``.
        model: the weights that read the person; other weights may give another range.
        limits: the limits of events that the person uses, where options give no others; empty for the defaults.
        smooth: the cut-off in Hz of the smoothing that the person uses; None for the default.
    """

    name: str
    closed: float
    wide: float
    model: str = ""
    limits: Mapping[Kind, Limits] = field(default_factory=dict[Kind, Limits])
    smooth: float | None = None

    def __post_init__(self) -> None:
        """Check the range.

        Raises:
            ValueError: a value is not finite or outside 0..1, the range is too small, or the smoothing is none.
        """
        if not (isfinite(self.closed) and isfinite(self.wide) and self.closed >= 0 and self.wide <= 1):
            raise ValueError(f"closed, wide: expected openness from 0 to 1, got {self.closed:g} and {self.wide:g}")
        if self.wide - self.closed < MIN_RANGE:
            raise ValueError(f"closed {self.closed:.2f}, wide {self.wide:.2f}: expected {MIN_RANGE:g} or more apart")
        if self.smooth is not None and not (isfinite(self.smooth) and self.smooth > 0):
            raise ValueError(f"smooth: expected a frequency in Hz above 0, got {self.smooth:g}")

    def fit(self, openness: float) -> float:
        """Return an openness of the network rescaled to the person's own range, 0..1."""
        return min(1.0, max(0.0, (openness - self.closed) / (self.wide - self.closed)))


def profile_folder() -> Path:
    """Return the folder of the profiles; the variable ``MOUTH_LIVE_CONFIG`` names another configuration folder."""
    # Imported here to keep the command's start quick.
    from platformdirs import user_config_path

    other = os.environ.get("MOUTH_LIVE_CONFIG")
    return (Path(other) if other else user_config_path("mouth-live", appauthor=False)) / "profiles"


def profile_path(name: str) -> Path:
    """Return the file of a person's profile.

    Raises:
        ProfileError: the name cannot be a file name.
    """
    if not _NAME.fullmatch(name) or name.endswith((" ", ".")):
        raise ProfileError(f"profile {name!r}: expected a name of letters, digits, spaces, '-', '_' and '.', up to 64")
    return profile_folder() / f"{name}.json"


def profile_names() -> list[str]:
    """Return the names of the saved profiles, sorted."""
    folder = profile_folder()
    return sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []


def load_profile(name: str) -> Profile:
    """Read a person's profile.

    Raises:
        ProfileError: there is none, or its file is damaged.
    """
    path = profile_path(name)
    try:
        content = cast("object", json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        known = ", ".join(profile_names()) or "none yet"
        raise ProfileError(
            f"no profile {name!r} (known: {known}); make it with: mouth-live calibrate --profile {name}"
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
        numbers = cast("dict[Kind, dict[str, float]]", values.get("limits", {}))
        limits = limits_by_kind({kind: Limits(**of_kind) for kind, of_kind in numbers.items()})
        smooth = cast("float | None", values.get("smooth"))
        return Profile(name, float(closed), float(wide), str(values.get("model", "")), limits, smooth)
    except (ValueError, TypeError, AttributeError) as error:
        raise ProfileError(f"{path}: {error}; {again}") from None


def save_profile(profile: Profile) -> Path:
    """Write a profile, whole or not at all and readable by its user alone, and return its file.

    Raises:
        ProfileError: it cannot be written.
    """
    path = profile_path(profile.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProfileError(f"{path.parent}: cannot make this folder ({error.strerror}); check the folder") from None
    with (
        whole_file(path, "; check the folder", keep_suffix=False, private=True, error=ProfileError) as part,
        part.open("w", encoding="utf-8") as file,
    ):
        json.dump({name: value for name, value in asdict(profile).items() if value not in ({}, None)}, file, indent=2)
        file.write("\n")
    return path


def save_limits(name: str, limits: Mapping[Kind, Limits], smooth: float, used: Profile | None) -> Path:
    """Save limits and a smoothing in a profile, beside the range that they were set with, and return its file.

    Args:
        name: the profile's; without a range so far it is made with that of the network.
        limits: the limits by kind.
        smooth: the cut-off in Hz.
        used: the range in use; None for the network's.

    Raises:
        ProfileError: the profile has another range than the one in use, or cannot be read or written.
    """
    base = used or Profile(name, *WHOLE_RANGE)
    if profile_path(name).exists():
        saved = load_profile(name)
        if (saved.closed, saved.wide) != (base.closed, base.wide):
            raise ProfileError(f"profile {name!r} has another range than is used now; start with --profile {name}")
    return save_profile(replace(base, name=name, limits=dict(limits), smooth=smooth))


def is_measured(name: str) -> bool:
    """Return whether there is a profile of this name with a range, not with limits alone."""
    if not profile_path(name).exists():
        return False
    try:
        saved = load_profile(name)
    except ProfileError:  # damaged: nothing is known of it
        return True
    return (saved.closed, saved.wide) != WHOLE_RANGE


def with_limits_kept(measured: Profile) -> Profile:
    """Return a newly measured profile with the limits and the smoothing of the saved one that it replaces, if any."""
    try:
        old = load_profile(measured.name)
    except ProfileError:  # there is none, or it is damaged
        return measured
    return replace(measured, limits=old.limits, smooth=old.smooth)


def profile_for(name: str | None, model: str) -> Profile | None:
    """Return the requested profile, and warn if it was measured with other weights, whose range may differ.

    Args:
        name: the profile's; None for none.
        model: the name of the weights in use.

    Raises:
        ProfileError: there is none of that name, or its file is damaged.
    """
    if name is None:
        return None
    profile = load_profile(name)
    if profile.model and profile.model != model:
        log.warning("profile %r was measured with %s, not %s; calibrate again", name, profile.model, model)
    return profile

"""Where the files of a job are on the machine that does it, and what the user calls them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...settings import AnalysisSettings


@dataclass(frozen=True, slots=True)
class Places:
    """Where this machine has what the user named. By default everything is where the user has it.

    Products, manifests and messages contain the user's paths, so that they are the same wherever a job is done.

    Attributes:
        folder: the user's current folder; empty: that of this process.
        files: the paths on this machine, by the paths as the user named them.
    """

    folder: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def local(self, path: Path) -> Path:
        """Return the path of a file on this machine."""
        return Path(self.files.get(str(path), path))

    def named(self, path: Path) -> Path:
        """Return the user's path of a file, from the folder on in which the user named it."""
        return Path(self.folder, path)

    def local_settings(self, settings: AnalysisSettings) -> AnalysisSettings:
        """Return the settings with the path of the model on this machine."""
        model = self.files.get(settings.model, settings.model)
        return settings if model == settings.model else replace(settings, model=model)

    def as_named(self, text: str) -> str:
        """Return a message with the user's paths in place of this machine's."""
        for named, local in sorted(self.files.items(), key=lambda item: -len(item[1])):
            text = text.replace(local, named)
        return text


HERE = Places()

"""The group of all commands: what to do instead where a command's name is a file's, or misspelt."""

import shlex
from difflib import get_close_matches
from pathlib import Path

import click


class CommandGroup(click.Group):
    """A group whose errors say which command the user may have meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command and its arguments.

        Raises:
            click.UsageError: there is no such command; the message says what to write instead.
        """
        name = args[0]
        if name in self.commands:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"{name}: no such command; {self._advice(name)}", ctx)

    def _advice(self, name: str) -> str:
        word = shlex.quote(name)
        live, table = f"mouth-live --camera {word}", f"mouth-live process {word}"
        path = Path(name)
        if name.isdigit() or path.is_char_device() or ("://" in name and not name.lower().startswith("file://")):
            return f"for live video: {live}"
        if path.is_dir():
            return f"for tables of its videos: {table} -o FOLDER"
        if _is_like_a_file(name):
            return f"for a table: {table}; to watch it as if live: {live}"
        near = get_close_matches(name.lower(), self.commands, 1)
        return f"did you mean {near[0]}?" if near else f"commands: {', '.join(sorted(self.commands))}"


def _is_like_a_file(name: str) -> bool:
    from ..video.recording_files import PICTURE_SUFFIXES, VIDEO_SUFFIXES

    path = Path(name)
    known = VIDEO_SUFFIXES | PICTURE_SUFFIXES
    return path.exists() or "/" in name or "\\" in name or path.suffix.lower() in known

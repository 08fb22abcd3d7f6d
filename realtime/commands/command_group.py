"""The group of all commands: listed by task, and what to do instead where a command's name is a file's or misspelt."""

import shlex
from difflib import get_close_matches
from pathlib import Path

import click

SECTIONS = (
    ("Live video", ("demo", "devices", "doctor", "calibrate")),
    ("Recordings", ("process", "events", "summary", "report", "verify", "slurm")),
    ("A network of your own", ("label", "train", "evaluate", "export")),
)
"""The commands by task, as ``--help`` lists them; all others come last."""


class CommandGroup(click.Group):
    """A group whose help lists commands by task, and whose errors say which command the user may have meant."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the start of their help, by task."""
        listed = {name for _, names in SECTIONS for name in names}
        others = tuple(name for name in sorted(self.commands) if name not in listed)
        longest = max(map(len, self.commands))
        for title, names in (*SECTIONS, ("More", others)):
            commands = [self.commands[name] for name in names if name in self.commands]
            limit = formatter.width - longest - 6
            rows = [((command.name or "").ljust(longest), command.get_short_help_str(limit)) for command in commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the name, the command and its arguments.

        Raises:
            click.UsageError: there is no such command; the message says what to write instead.
        """
        name = args[0]
        if ctx.resilient_parsing and name not in self.commands:
            return None, None, args  # a shell asks for completions
        if name in self.commands:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"{name}: no such command; {self._advice(name)}", ctx)

    def _advice(self, name: str) -> str:
        word = shlex.quote(name)
        live, table = f"mouth-live --camera {word}", f"mouth-live process {word}"
        path = Path(name)
        if name.isdecimal() or path.is_char_device() or ("://" in name and not name.lower().startswith("file://")):
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

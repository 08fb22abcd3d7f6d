"""``mouth-live completion``: shell completion, and what arguments and options complete to."""

import logging
import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "mouth-live"
VARIABLE = "_MOUTH_LIVE_COMPLETE"  # set by the shell's script when it asks for completions
SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Complete commands and files in your shell.")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options, their values and files.

    Save it once where the shell looks for it, and open a new shell. zsh finds it with "fpath+=~/.zfunc" before
    "compinit" in ~/.zshrc; bash needs the package bash-completion.

    \b
    mouth-live completion bash > ~/.local/share/bash-completion/completions/mouth-live
    mouth-live completion zsh > ~/.zfunc/_mouth-live
    mouth-live completion fish > ~/.config/fish/completions/mouth-live.fish
    """  # noqa: D301
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell}: this version of click cannot complete in it; expected {', '.join(SHELLS)}")
    click.echo(found(ctx.find_root().command, {}, PROGRAM, VARIABLE).source(), nl=False)


def complete(command: click.Command) -> bool:
    """Print the completions that a shell's script asks for.

    Returns:
        Whether it asked; False in every ordinary run.
    """
    instruction = os.environ.get(VARIABLE)
    if not instruction:
        return False
    from click.shell_completion import shell_complete

    _complete_values_after_equals()
    logging.getLogger("mouth_live").setLevel(logging.CRITICAL)  # a log line would stand in the middle of the prompt
    shell_complete(command, {}, PROGRAM, VARIABLE, instruction)
    return True


def _complete_values_after_equals() -> None:
    """Make ``--option=va`` complete, which click does in no shell."""
    from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete, add_completion_class

    class Bash(BashComplete):
        def get_completion_args(self) -> tuple[list[str], str]:
            """Return the words without the ``=``, of which bash makes a word of its own."""
            words, incomplete = super().get_completion_args()
            return [word for word in words if word != "="], incomplete

    class WholeWord(ShellComplete):
        def get_completions(self, args: list[str], incomplete: str) -> "list[CompletionItem[Any]]":
            """Return the values with their option before them, because these shells replace the whole word."""
            items = super().get_completions(args, incomplete)
            option, equals, _ = incomplete.partition("=")
            if equals and option.startswith("-"):
                for item in items:
                    item.value = f"{option}={item.value}"
            return items

    class Zsh(WholeWord, ZshComplete):
        pass

    class Fish(WholeWord, FishComplete):
        pass

    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)


def complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Let the shell complete files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the names of the shipped openness networks, else files."""
    from ...models.weights_file import shipped_names

    return _names(shipped_names("openness"), incomplete) or complete_files(ctx, param, incomplete)


def complete_profiles(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Complete the names of the saved profiles."""
    from ..lips.profiles import profile_names

    return _names(profile_names(), incomplete)


def _names(names: list[str], incomplete: str) -> "list[CompletionItem[Any]]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]

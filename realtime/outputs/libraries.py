"""Load the libraries that outputs need, before the capture starts."""

import importlib

from ...models.errors import MissingExtraError


def require(name: str, module: str, package: str, extra: str = "apps") -> None:
    """Import a module.

    Args:
        name: the output that needs it.
        module: to import.
        package: the package that contains it, for the message.
        extra: the extra of mouth-live that installs it.

    Raises:
        MissingExtraError: it is not installed.
        ImportError: it is installed, but cannot work here.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError:
        raise MissingExtraError(f"{name} ({package})", extra) from None

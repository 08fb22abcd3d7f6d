"""Public names of a package that load on first use (PEP 562), so that importing the package stays cheap."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

VERSION = "0.2.0"
"""The packages' ``__version__``, from which the build takes the project's; to ask pip for it would take 15 ms."""


def lazy(package: str, homes: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Make a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: the package's ``__name__``.
        homes: for each module, relative to the package (``".records"``), the public names that it defines.

    Returns:
        ``__getattr__``, which loads a public name or ``__version__`` and raises AttributeError for any other; and
        ``__dir__``, which lists them before they are loaded.
    """
    module_of = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> object:
        """Return a public name, or ``__version__``."""
        if name == "__version__":
            return VERSION
        if name in module_of:
            return getattr(import_module(module_of[name], package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package])

    def names() -> list[str]:
        """List what the package has, loaded or not."""
        return sorted({*vars(sys.modules[package]), *module_of, "__version__"})

    return load, names

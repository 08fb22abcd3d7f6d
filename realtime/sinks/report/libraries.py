"""The packages of the extra ``report``: found or imported when first needed."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ....models.errors import MissingExtraError

_EXTRA = "report"


def bokeh_script() -> str:
    """Return BokehJS as one script. The Python part of bokeh is not imported: it would take half a second.

    Raises:
        MissingExtraError: bokeh is not installed.
    """
    spec = find_spec("bokeh")
    for folder in (spec and spec.submodule_search_locations) or ():
        script = Path(folder, "server", "static", "js", "bokeh.min.js")
        if script.is_file():
            return script.read_text(encoding="utf-8")
    raise MissingExtraError("a report (bokeh)", _EXTRA)


def new_figure(width: float, height: float) -> Any:  # noqa: ANN401 - matplotlib is typed only where it is installed
    """Make an empty matplotlib figure that needs no display.

    Args:
        width: inches.
        height: inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        return import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    except ModuleNotFoundError:
        raise MissingExtraError("a figure (matplotlib)", _EXTRA) from None

"""``--dry-run``: print what an output would send, and send nothing."""

import json
import sys

from .moments import Moment
from .output import Output


class DryRun(Output):
    """Stands in for an output: one JSON object a line on stdout, ``{"to": URL, "sends": TEXT}``."""

    uses_stdout = True

    def __init__(self, output: Output) -> None:
        """Say for which output; it is neither prepared nor opened."""
        self.name = output.name
        self.newest_only = output.newest_only
        self._output = output

    def send(self, moment: Moment) -> None:
        """Print it."""
        for text in self._output.render(moment):
            sys.stdout.write(json.dumps({"to": self.name, "sends": text}, ensure_ascii=False) + "\n")
        sys.stdout.flush()

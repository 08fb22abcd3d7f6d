"""``--dry-run``: print what an output would send, and send nothing."""

import json
import sys

from .output import Output
from .update import Update


class DryRun(Output):
    """Stands in for an output: writes one JSON object a line to stdout, ``{"to": URL, "sends": TEXT}``."""

    uses_stdout = True

    def __init__(self, output: Output) -> None:
        """Take the place of an output, which is neither prepared nor opened."""
        self.name = output.name
        self.newest_only, self.acknowledges = output.newest_only, output.acknowledges
        self._output = output

    def messages(self, update: Update) -> list[str]:
        """Return a line for each message of the output."""
        messages = self._output.messages(update)
        return [json.dumps({"to": self.name, "sends": str(each)}, ensure_ascii=False) + "\n" for each in messages]

    def send(self, update: Update) -> None:
        """Write the lines to stdout and flush it."""
        sys.stdout.writelines(self.messages(update))
        sys.stdout.flush()

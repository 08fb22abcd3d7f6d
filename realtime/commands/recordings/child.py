"""The child process that makes the table of one recording for ``mouth-live process --jobs``.

It gets the job and all settings as JSON in its only argument, so that no setting has to be passed as an option.
"""

import json
import sys
from pathlib import Path

from ....models.openness import OpennessModel
from ....models.weights_file import load_weights
from ...session import load_networks
from ...settings import AnalysisSettings
from ..cli import end_with_exit_code
from .jobs import Job, Products
from .process import process_one
from .shared_network import network_client


def _main() -> None:
    data = json.loads(sys.argv[1])
    settings = AnalysisSettings.from_data(data["settings"])
    networks = load_networks(settings, _parents_model(settings) if data["shared"] else None)
    process_one(Job(Path(data["source"]), Path(data["output"])), Products(**data["products"]), settings, networks)


def _parents_model(settings: AnalysisSettings) -> OpennessModel:
    """Return the openness network that runs in the parent process."""
    name = load_weights(settings.model, "openness").name
    return OpennessModel(name, "gpu", network_client(sys.stdout.buffer, sys.stdin.buffer))


if __name__ == "__main__":
    end_with_exit_code(_main)

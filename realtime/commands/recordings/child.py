"""The child process that makes the table of one recording for ``mouth-live process --jobs``.

It gets the job and all settings as JSON in its only argument, so that no setting has to be passed as an option.
"""

import json
import sys
from pathlib import Path

from ....models.faces import FaceFinder
from ....models.openness import OpennessModel
from ....models.weights_file import load_weights
from ...session import Networks, load_networks
from ...settings import AnalysisSettings
from ..cli import end_with_exit_code
from .jobs import Job
from .process import Products, process_one
from .shared_network import network_client


def _main() -> None:
    data = json.loads(sys.argv[1])
    settings = AnalysisSettings.from_data(data["settings"])
    networks = _shared_networks(settings) if data["shared"] else load_networks(settings)
    job = Job(Path(data["source"]), Path(data["output"]))
    process_one(job, Products(overwrite=True, media_time=data["media_time"], track=data["track"]), settings, networks)


def _shared_networks(settings: AnalysisSettings) -> Networks:
    """Return networks whose openness network runs in the parent process."""
    name = load_weights(settings.model, "openness").name
    model = OpennessModel(name, "gpu", network_client(sys.stdout.buffer, sys.stdin.buffer))
    return Networks(FaceFinder(settings.min_score, settings.backend, min_face=settings.min_face), model)


if __name__ == "__main__":
    end_with_exit_code(_main)

"""Tests of ``process --device gpu`` as a whole, where a made GPU is in each of its processes: ``made_gpu`` says how."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from conftest import COMMAND

TESTS = Path(__file__).parent
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Done:
    """What a run made.

    Attributes:
        tables: the rows of each table.
        used: what each process that used a GPU noted.
        said: what was written to stderr.
    """

    tables: dict[str, Rows]
    used: Sequence[str]
    said: str


def process(video: Path, folder: Path, *options: str, **environment: str) -> Done:
    """Run the command with made GPUs."""
    (folder / "used").mkdir(parents=True)
    path = os.pathsep.join(str(TESTS / name) for name in ("made_gpu", "made_decoder", "."))
    own = {"PYTHONPATH": path, "MADE_GPU": "litert", "MADE_GPU_LOG": str(folder / "used"), **environment}
    own["XDG_CACHE_HOME"] = str(folder / "cache")
    command = [*COMMAND, "process", str(video), "-o", str(folder / "out"), "--format", "csv", *options]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    tables = {path.name: list(csv.DictReader(path.read_text().splitlines())) for path in (folder / "out").glob("*.csv")}
    return Done(tables, sorted(path.read_text() for path in (folder / "used").iterdir()), done.stderr)


@pytest.fixture
def videos(short_clip: Path, tmp_path: Path) -> Path:
    """A folder with two recordings."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(short_clip, folder / name)
    return folder


@pytest.mark.slow
def test_processes_on_two_gpus_make_the_rows_of_one_process(videos, tmp_path):
    options = {"CUDA_VISIBLE_DEVICES": "2,GPU-8f3a"}
    alone = process(videos, tmp_path / "alone", "--device", "gpu", "--jobs", "1", **options)
    together = process(videos, tmp_path / "together", "--device", "gpu", "--jobs", "2", **options)
    assert alone.used == ["2,GPU-8f3a"]
    assert together.used == ["2", "GPU-8f3a"]
    assert together.tables == alone.tables
    assert [len(rows) for rows in alone.tables.values()] == [25, 25]


@pytest.mark.slow
@pytest.mark.backends
def test_jax_compiles_nothing_to_take_an_array():
    if find_spec("jax") is None or find_spec("keras") is None:
        pytest.skip("needs Keras and jax: pip install keras jax")
    code = (
        "import numpy as np; from mouth_live.models.gpu.backend import to_device; to_device(np.ones((3, 5), np.uint8))"
    )
    own = {"KERAS_BACKEND": "jax", "JAX_LOG_COMPILES": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=True)
    assert "Compiling" not in done.stderr


@pytest.mark.slow
@pytest.mark.backends
@pytest.mark.parametrize("library", ["jax", "torch"])
def test_keras_makes_the_same_table_on_each_library(videos, tmp_path, library):
    if find_spec(library) is None or find_spec("keras") is None:
        pytest.skip(f"needs Keras and {library}: pip install keras {library}")
    (videos / "b.mp4").unlink()
    here = process(videos, tmp_path / "cpu", "--device", "cpu")
    there = process(videos, tmp_path / "gpu", "--device", "gpu", MADE_GPU="keras", KERAS_BACKEND=library)
    assert (here.used, there.used) == ([], [library])
    assert "on the CPU" not in there.said
    (expected,), (rows,) = here.tables.values(), there.tables.values()
    names = ("frame", "timestamp", "face_id", "success")
    assert [[row[name] for name in names] for row in rows] == [[row[name] for name in names] for row in expected]
    pairs = [(a["openness_raw"], b["openness_raw"]) for a, b in zip(rows, expected, strict=True) if a["success"] == "1"]
    apart = np.abs(np.diff(np.array(pairs, np.float64)))
    assert len(apart) == 25
    assert apart.mean() < 0.01
    assert np.quantile(apart, 0.99) < 0.05

"""Tests of ``verify`` and ``slurm``: each kind of damage to a product is found, and nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def tables(mouth_live, short_clip, tmp_path):
    """A folder with the products of two recordings."""
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(short_clip, tmp_path / "in" / name)
    done = mouth_live("process", "in", "-o", "out", "--events", "vtt", "--time", "media", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    return tmp_path / "out"


def edit_manifest(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def edit_row(path: Path, old: str, new: str) -> None:
    """Change a row, and let the manifest tell nothing of it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    command = ["sha256sum", str(path)]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
    edit_manifest(Path(f"{path}.json"), sha256=digest)


def test_good_products_are_as_they_should_be(mouth_live, tables):
    done = mouth_live("verify", "out")
    assert (done.returncode, done.stdout) == (0, "")
    assert "out: 4 products, all as they should be" in done.stderr


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda out: (out / "a.csv").unlink(), "is missing"),
        (lambda out: (out / "a.csv").write_text((out / "a.csv").read_text() + "x"), "its SHA-256"),
        (lambda out: (out / "a.csv.json").write_text("{"), "a.csv.json beside it is damaged"),
        (lambda out: edit_manifest(out / "a.csv.json", finished=False), "was interrupted"),
        (lambda out: edit_manifest(out / "a.csv.json", frames=24), "has 24 frames, of the recording 25 are decoded"),
        (lambda out: edit_manifest(out / "a.csv.json", rows=24), "has 25 rows, its manifest says 24"),
        (lambda out: edit_row(out / "a.csv", "\n5,0.2", "\n5,0.3"), "1 of 25 rows have another time than their frame"),
        (lambda out: (out.parent / "in" / "a.mp4").unlink(), "cannot be compared with"),
        (lambda out: (out.parent / "in" / "a.mp4").write_bytes(b"another"), "has changed since"),
    ],
)
def test_each_damage_is_found(mouth_live, tables, damage, says):
    damage(tables)
    done = mouth_live("verify", "out")
    assert done.returncode == 1
    assert any(line.startswith("out/a.csv") and says in line for line in done.stdout.splitlines()), done.stdout
    assert "b." not in done.stdout


def test_without_decoding_only_hashes_are_compared(mouth_live, tables):
    edit_manifest(tables / "a.csv.json", frames=24)
    assert mouth_live("verify", "out", "--quick").returncode == 0


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_products_is_an_error(mouth_live, folder):
    done = mouth_live("verify", folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_the_slurm_script_runs_each_part(mouth_live, short_clip, tmp_path):
    """Its tasks, run here one after the other in SLURM's place, do all recordings, each once."""
    for name in ("a b.mp4", "c.mp4", "d.mp4"):
        shutil.copy(short_clip, tmp_path / name)
    made = mouth_live("slurm", "a b.mp4", "c.mp4", "d.mp4", "-o", "out", "--tasks", "2", "--cores", "1")
    assert made.returncode == 0
    assert "#SBATCH --array=1-2\n#SBATCH --ntasks=1\n#SBATCH --cpus-per-task=1\n" in made.stdout
    commands = [line for line in made.stdout.splitlines() if line.startswith("srun ")]
    assert len(commands) == 1
    stand_in = tmp_path / "bin"
    stand_in.mkdir()
    (stand_in / "srun").write_text('#!/bin/sh\nexec "$@"\n')
    (stand_in / "srun").chmod(0o755)
    (tmp_path / "job.sh").write_text(f'export PATH="$PWD/bin:$PATH"\n{made.stdout}')
    counts = []
    for task in ("1", "2"):
        environment = {"SLURM_ARRAY_TASK_ID": task}
        done = subprocess.run(
            ["bash", "job.sh"], cwd=tmp_path, env=_environment(environment), check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        counts.append(int(done.stderr.split(" done, ")[0].split()[-1]))
    assert counts == [2, 1]
    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {"a b.csv", "c.csv", "d.csv"}


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **more}


def test_the_slurm_script_needs_an_output_folder(mouth_live):
    assert mouth_live("slurm", "in").returncode == 2

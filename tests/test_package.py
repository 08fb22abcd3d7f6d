"""The package as it is installed."""

import hashlib
import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
WEIGHTS = sorted((REPOSITORY / "models" / "weights").glob("*.tflite"))


def test_the_list_of_packages_is_the_folders():
    folders = {
        f"mouth_live.{p.parent.relative_to(REPOSITORY).as_posix().replace('/', '.')}"
        for p in REPOSITORY.glob("[rm]*/**/__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders


def test_every_data_file_is_installed():
    listed = {
        file
        for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for file in (REPOSITORY / package.removeprefix("mouth_live.").replace(".", "/")).glob(pattern)
    }
    there = {path for folder in ("models", "realtime") for path in (REPOSITORY / folder).rglob("*.*")}
    assert {path for path in there if path.suffix not in {".py", ".pyc"}} - listed == set()


@pytest.mark.parametrize("package", ["mouth_live.models", "mouth_live.realtime"])
def test_public_names_are_there_and_listed(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense


@pytest.mark.parametrize("path", WEIGHTS, ids=lambda p: p.stem)
def test_weights_match_their_card(path):
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card["sha256"]
    assert card["task"] in {"detection", "face-check", "openness"}
    keras_twin = path.with_suffix(".keras")
    if keras_twin.exists():
        assert hashlib.sha256(keras_twin.read_bytes()).hexdigest() == card["keras_sha256"]


def test_the_detector_is_the_published_file():
    published = "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
    (path,) = [p for p in WEIGHTS if p.stem == "face_detection_full_range_sparse"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == published


def test_starting_the_command_imports_nothing_heavy():
    heavy = ["cv2", "numpy", "tensorflow", "mediapipe", "ai_edge_litert", "tqdm"]
    code = f"import sys, mouth_live.realtime.commands.cli; print(*[m for m in {heavy} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == ""

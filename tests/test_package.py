"""The package as it is installed."""

import ast
import hashlib
import importlib
import importlib.metadata
import json
import pydoc
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import mouth_live
from mouth_live import Analysis, Estimates, Face, Frame, Reading

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
WEIGHTS = sorted((REPOSITORY / "models" / "weights").glob("*.tflite"))


SETUPTOOLS = PROJECT["tool"]["setuptools"]
ROOT_FOLDER = REPOSITORY / SETUPTOOLS["package-dir"]["mouth_live"]
PACKAGES = ["mouth_live", "mouth_live.models", "mouth_live.realtime"]
LOADED = "*{'cv2', 'numpy', 'tensorflow', 'mediapipe', 'ai_edge_litert', 'tqdm'} & sys.modules.keys()"  # all heavy


def folder_of(package: str) -> Path:
    """A package's folder in the checkout."""
    if package == "mouth_live":
        return ROOT_FOLDER
    return REPOSITORY / package.removeprefix("mouth_live.").replace(".", "/")


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_list_of_packages_is_the_folders():
    folders = {path.parent for top in ("models", "realtime") for path in (REPOSITORY / top).rglob("__init__.py")}
    assert sorted(map(folder_of, SETUPTOOLS["packages"])) == sorted(folders)


def test_no_folder_can_be_imported_instead_of_the_installed_package():
    for folder in (REPOSITORY, *(path for path in REPOSITORY.iterdir() if path.is_dir())):  # where one may stand
        assert not (folder / "mouth_live").exists() or folder.name == "build"
        assert not (folder / "mouth_live.py").exists()
    assert not (REPOSITORY / "__init__.py").exists()
    assert SETUPTOOLS["package-dir"].keys() == set(PACKAGES)


def test_every_data_file_is_installed():
    listed = {
        file
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for file in folder_of(package).glob(pattern)
    }
    there = {path for folder in ("models", "realtime") for path in (REPOSITORY / folder).rglob("*.*")}
    assert {path for path in there if path.suffix not in {".py", ".pyc"}} - listed == set()
    assert ROOT_FOLDER / "py.typed" in listed  # of the outermost package, it holds for all below


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_there_and_listed(package):
    module = importlib.import_module(package)
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for name in module.__all__:
        assert getattr(module, name).__doc__
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nonsense'"):
        _ = module.nonsense


@pytest.mark.parametrize("package", ["mouth_live.models", "mouth_live.realtime"])
def test_a_public_name_is_written_the_same_way_in_all_three_places(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    branch = next(node for node in ast.parse(Path(module.__file__).read_text()).body if isinstance(node, ast.If))
    (homes,) = [ast.literal_eval(n) for node in branch.orelse for n in ast.walk(node) if isinstance(n, ast.Dict)]
    typed = {
        "." * node.level + (node.module or ""): [alias.name for alias in node.names]
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
    }
    assert homes == typed
    assert sorted(name for names in homes.values() for name in names) == module.__all__


def test_the_root_package_has_the_names_of_both():
    assert mouth_live.__all__ == [*mouth_live.models.__all__, *mouth_live.realtime.__all__]
    assert mouth_live.analyze is mouth_live.realtime.analyze
    assert mouth_live.Face is mouth_live.models.Face


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_and_version_load_nothing_heavy(package):
    code = f"import sys, {package} as p; print(*dir(p)); print(p.__version__); print({LOADED})"
    names, version, heavy = run(code).splitlines()
    assert {*importlib.import_module(package).__all__, "__version__"} <= set(names.split())
    assert version == importlib.metadata.version("mouth-live")
    assert heavy == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_help_shows_the_public_names(package):
    module = importlib.import_module(package)
    shown = pydoc.plain(pydoc.render_doc(module))
    assert re.search(rf"^VERSION\n    {re.escape(module.__version__)}$", shown, re.MULTILINE)
    for name in module.__all__:
        assert re.search(rf"^    (class )?{name}(\(|$)", shown, re.MULTILINE), name


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
    assert run(f"import sys, mouth_live.realtime.commands.cli; print({LOADED})").strip() == ""


def test_reprs_are_short_and_print_no_pixels():
    frame = Frame(index=3, time=0.12, image=np.zeros((720, 1280, 3), np.uint8))
    face = Face(box=(10.0, 20.25, 100.0, 99.96), keypoints=np.zeros((6, 2), np.float32), score=0.973)
    reading = Reading(face_id=0, face=face, raw=0.31234, openness=0.2, active=True, reliability=float("nan"))
    assert repr(frame) == "Frame(index=3, time=0.12, image=1280x720)"
    assert repr(face) == "Face(box=(10.0, 20.2, 100.0, 100.0), score=0.97)"
    assert repr(reading) == (
        f"Reading(face_id=0, face={face!r}, raw=0.312, openness=0.200, active=True, reliability=nan)"
    )
    assert repr(Analysis(frame, (reading,))) == (
        f"Analysis(frame={frame!r}, readings=({reading!r},), events=(), silent=False)"
    )


def test_the_repr_of_estimates_is_short_however_many_there_are():
    few = Estimates(np.array([0, 0.5], np.float32), np.array([1, np.nan], np.float32))
    assert repr(few) == "Estimates(openness=[0. , 0.5], reliability=[ 1., nan])"
    many = np.linspace(0, 1, 10_000, dtype=np.float32)
    assert len(repr(Estimates(many, many))) < 150

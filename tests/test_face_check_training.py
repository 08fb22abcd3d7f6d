"""The face check trains through the same run folder and exporter as the other networks; bad input is reported."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from mouth_live.models import DataError, ModelError
from mouth_live.models.training import face_check, network
from mouth_live.models.training.export import check_export, export
from mouth_live.models.training.face_check_data import HELD_OUT_SETS, TURNED_VIEWS, collect
from mouth_live.models.training.turned_faces import read_turned
from mouth_live.models.weights_file import LiteRtNetwork, load_weights

# TensorFlow's arrays under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
ONE = (network.Cycle(2, 2e-3),)
SMALL = dataclasses.replace(network.FACE_CHECK, pictures=6, held_out_pictures=3, cycles=ONE, batch=32)


@pytest.fixture
def handful(shared, tmp_path):
    """Six labelled pictures to train on and three of a held-out set."""
    with (shared / "faces" / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "train"]
    chosen = [row for row in rows if row["set"] not in HELD_OUT_SETS][:6]
    chosen += [row for row in rows if row["set"] in HELD_OUT_SETS][:3]
    folder = tmp_path / "faces"
    for row in chosen:
        target = folder / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / "faces" / row["file"], target)
    return write_labels(folder, chosen)


@pytest.fixture
def turned(shared, handful):
    """Three photos of turned heads to train on, two that are held out, and one turned too little."""
    photos = read_turned(shared / "faces")
    learned = [photo for photo in photos if photo.is_turned and photo.fold != 0][:3]
    held_out = [photo for photo in photos if photo.is_turned and photo.fold == 0][:2]
    write_turned(handful, [*learned, *held_out, *[photo for photo in photos if not photo.is_turned][:1]])
    return handful


def write_turned(folder, photos):
    (folder / "images" / "turned").mkdir(parents=True)
    with (folder / "turned.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "yaw", "x", "y", "width", "height"])
        for photo in photos:
            shutil.copyfile(photo.file, folder / "images" / "turned" / photo.file.name)
            writer.writerow([f"images/turned/{photo.file.name}", photo.yaw, *photo.box])


def write_labels(folder, rows):
    folder.mkdir(exist_ok=True)
    columns = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden", "note"]
    columns += ["eye1_x", "eye1_y", "eye2_x", "eye2_y"]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.mark.train
@pytest.mark.clips
@pytest.mark.slow
def test_the_face_check_trains_and_exports_like_the_other_networks(turned, tmp_path):
    run, out = tmp_path / "run", tmp_path / "mine.tflite"
    rates = face_check.train_face_check(turned, run, SMALL)
    names = {"weights.keras", "history.csv", "curve.png", "report.json", "report.md"}
    assert {path.name for path in run.iterdir()} == names
    assert (rates.faces, rates.turned, rates.non_faces > 3) == (9, 2, True)  # three crops of each face
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    facts = json.loads((run / "report.json").read_text())
    assert (facts["task"], facts["preset"]["name"], facts["data"]["faces"]) == ("face-check", "face-check", 18)
    assert 3 < facts["data"]["turned"] <= 3 * TURNED_VIEWS

    assert export(run, out) == "face-check"
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"mine.tflite", "mine.keras", "mine.json"}
    card = json.loads(out.with_suffix(".json").read_text())
    assert card["metrics"]["held_out"] == dataclasses.asdict(rates)
    assert card["inputs"][0]["shape"] == "(n, 48, 48, 3) float32"
    crops = np.random.default_rng(0).random((5, 48, 48, 3), np.float32)
    (read,) = LiteRtNetwork(load_weights(out, "face-check"))(crops)
    assert (read.shape, read.min() >= 0, read.max() <= 1) == ((5, 1), True, True)
    with pytest.raises(ModelError, match=r"reads up to .* otherwise"):
        check_export(face_check.network(), out, "face-check")
    with pytest.raises(DataError, match="holds a run already"):
        face_check.train_face_check(turned, run, SMALL)


@pytest.mark.train
@pytest.mark.clips
def test_turned_heads_are_learned_but_for_those_held_out(turned):
    learned, held_out = (collect(turned, 1, 0, is_held_out) for is_held_out in (False, True))
    assert (3 < len(learned.turned) <= 3 * TURNED_VIEWS, len(held_out.turned)) == (True, 2)
    assert learned.turned.shape[1:] == (48, 48, 3)
    seen = {crop.tobytes() for crop in learned.turned}
    assert not any(crop.tobytes() in seen for crop in held_out.turned)


def test_a_photo_that_the_test_part_has_too_is_no_turned_head(tmp_path):
    write_turned(tmp_path, [])
    with (tmp_path / "turned.csv").open("a", encoding="utf-8") as file:
        file.write("images/turned/01356.jpg,-39.5,1,2,3,4\nimages/turned/mine.jpg,30,1,2,3,4\n")
    assert [photo.file.name for photo in read_turned(tmp_path)] == ["mine.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,yaw\n", r"turned\.csv: no column x, y, width, height"),
        ("file,yaw,x,y,width,height\na.jpg,left,1,2,3,4\n", r"turned\.csv, line 2: could not convert .* 'left'"),
    ],
)
def test_a_bad_table_of_turned_heads_is_reported_in_one_line(tmp_path, content, message):
    (tmp_path / "turned.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_turned(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.train
@pytest.mark.clips
@pytest.mark.slow
def test_the_command_trains_the_face_check(handful, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from mouth_live.realtime.commands.train import train

    monkeypatch.setattr(network, "FACE_CHECK", SMALL)
    options = ["--preset", "face-check", "--data", str(handful), "--run", str(tmp_path / "run")]
    done = CliRunner().invoke(train, options, catch_exceptions=False)
    assert done.exit_code == 0
    assert json.loads((tmp_path / "run" / "report.json").read_text())["preset"]["pictures"] == 6


def test_options_of_the_other_networks_are_refused(mouth_live):
    done = mouth_live("train", "--preset", "face-check", "--data", ".", "--folds", "3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--folds is for networks of the openness" in done.stderr


@pytest.mark.parametrize(
    ("rows", "held_out", "message"),
    [
        ([{"set": "helen"}], False, "must be pictures of part train in sets to train the face check on"),
        ([{"set": "a"}], True, r"measured on \(helen, mask_prajna, habesha\)"),
        ([{"set": "a", "part": "Test"}], False, "line 2: part is 'Test'"),
        ([{"set": "a"}], False, "0.jpg: cannot read this picture; labels.csv names it"),
    ],
)
def test_bad_input_is_reported_in_one_line(tmp_path, rows, held_out, message):
    folder = write_labels(tmp_path / "faces", [{"file": "0.jpg", "part": "train"} | row for row in rows])
    with pytest.raises(DataError, match=message) as caught:
        collect(folder, 10, 0, held_out)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_or_column_is_reported(tmp_path):
    with pytest.raises(DataError, match=r"labels\.csv: cannot read it"):
        collect(tmp_path / "nowhere", 10, 0, held_out=False)
    (tmp_path / "labels.csv").write_text("file,set\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column part"):
        collect(tmp_path, 10, 0, held_out=False)

"""Training: labels, split, variations, network, run folder, export. Real faces come from the demo clip."""

import csv
import dataclasses
import json
import math

import cv2
import numpy as np
import pytest

from mouth_live import realtime
from mouth_live.models import DataError, Face, FaceFinder, ModelError, crop_faces, load_openness_model
from mouth_live.models.training import data, network, patches, run_report
from mouth_live.models.training.augment import plain, varied
from mouth_live.models.training.data import LabelledFace
from mouth_live.models.training.evaluation import evaluate as evaluation
from mouth_live.models.training.patches import Patches

EYES = ["eye1_x", "eye1_y", "eye2_x", "eye2_y"]
COLUMNS = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden", *EYES]
# TensorFlow's arrays under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

COMPACT = network.CompactPreset(
    "small", batch=8, phases=(network.Phase(2, 2e-3), network.Phase(1, 1e-3, gentle=0.85, auxiliary=0.15))
)
TINY = network.ReferencePreset("tiny", batch=8, epochs=2, validation=0.25, bulk=1.0)


def write_labels(folder, rows, columns=COLUMNS):
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({"file": f"{i}.jpg", "set": "a", "part": "train", "person": i} | r for i, r in enumerate(rows))
    return folder


def labelled(openness=0.5, source="a", part="train", person="x", file="f.jpg", by_people=True, eyes=None):
    return LabelledFace(data.Path(file), source, part, f"{source}/{person}", openness, by_people, eyes)


def face_at(x, y, size):
    """A face whose eyes' middle is at (x, y)."""
    eyes = [(x - size / 4, y), (x + size / 4, y)]
    keypoints = np.array([*eyes, (x, y + size / 4), (x, y + size / 2), eyes[0], eyes[1]], np.float32)
    return Face((x - size / 2, y - size / 3, size, size), keypoints, 0.9)


@pytest.fixture(scope="module")
def demo_frames():
    video = cv2.VideoCapture(str(data.Path(realtime.__file__).parent / "commands" / "demo.mp4"))
    frames = [video.read()[1] for _ in range(32)]
    video.release()
    return frames


@pytest.fixture
def real_faces(tmp_path, demo_frames):
    """A folder of labelled pictures of a real face; the label is made up."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for i, frame in enumerate(demo_frames):
        cv2.imwrite(str(folder / f"{i}.jpg"), frame)
    return write_labels(
        folder,
        [{"gap_ratio": 0.02 * (i % 20), "part": "test" if i >= 26 else "train"} for i in range(len(demo_frames))],
    )


# --- labels


@pytest.mark.parametrize(
    ("gap", "openness"),
    [(-1, 0), (0, 0), (0.03, 0), (0.075, 0.25), (0.12, 0.5), (0.285, 0.75), (0.45, 1), (2, 1)],
)
def test_openness_is_piecewise_linear_in_the_gap_ratio(gap, openness):
    assert data.openness_from_gap_ratio(gap) == pytest.approx(openness)


def test_peoples_label_comes_first_and_hidden_mouths_have_none(tmp_path):
    rows = [
        {"gap_ratio": 0.12, "landmarker_gap_ratio": 0.45, "mouth_points_hidden": 0},
        {"landmarker_gap_ratio": 0.45},
        {"gap_ratio": 0.12, "landmarker_gap_ratio": 0.12, "mouth_points_hidden": 3},
        {},  # covered by a mask: no label at all
        {"gap_ratio": 0.0, "landmarker_gap_ratio": 0.45, "part": "test", "person": "", "eye1_x": 10, "eye1_y": 20}
        | {"eye2_x": 30, "eye2_y": 22},
    ]
    faces = data.read_labels(write_labels(tmp_path, rows))
    assert [(f.file.name, f.openness, f.by_people) for f in faces] == [
        ("0.jpg", pytest.approx(0.5), True),
        ("1.jpg", 1.0, False),
        ("4.jpg", 0.0, True),
    ]
    assert faces[0].eyes is None
    assert faces[2].eyes == ((10, 20), (30, 22))
    assert (faces[2].part, faces[2].group) == ("test", "a/4.jpg")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"gap_ratio": "wide"}, r"labels\.csv, line 2: .*'wide'"),
        ({"gap_ratio": "nan"}, "line 2: .*'nan'"),
        ({"gap_ratio": 0.1, "eye1_x": 3}, "line 2"),
        ({"gap_ratio": 0.1, "part": "Test"}, "line 2: part is 'Test'"),
        ({}, "no labelled face"),
    ],
)
def test_a_bad_row_is_told(tmp_path, row, message):
    with pytest.raises(DataError, match=message) as caught:
        data.read_labels(write_labels(tmp_path, [row]))
    assert "\n" not in str(caught.value)


def test_a_missing_folder_column_or_table_is_told(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.*cannot read it"):
        data.read_labels(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no column person, eye2_y"):
        data.read_labels(write_labels(tmp_path, [{}], [c for c in COLUMNS if c not in {"person", "eye2_y"}]))
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not a table"):
        data.read_labels(tmp_path)


def test_bulk_thins_only_nearly_closed_mouths_with_a_models_label():
    faces = [labelled(o, by_people=p) for o in (0.1, 0.9) for p in (True, False) for _ in range(200)]
    kept = data.balanced(faces, 0.3, seed=1)
    assert kept == data.balanced(faces, 0.3, seed=1)
    assert all(sum(f is face or f == face for f in kept) == 200 for face in (faces[0], faces[400], faces[600]))
    assert 30 < kept.count(faces[200]) < 90


# --- split


def test_no_group_is_on_both_sides_and_test_groups_on_none():
    faces = [labelled(source=s, person=str(p)) for s in "abc" for p in range(40) for _ in range(p % 5 + 1)]
    faces += [labelled(source="a", person="t", part=part) for part in ("test", "train", "test")]
    training, validation = data.split(faces, 0.1, seed=3)
    groups = [{faces[i].group for i in rows} for rows in (training, validation)]
    assert not groups[0] & groups[1]
    assert "a/t" not in groups[0] | groups[1]
    assert len(training) + len(validation) == len(faces) - 3
    assert 0.08 < len(validation) / len(faces) <= 0.1
    assert data.split(faces, 0.1, seed=3) == (training, validation)
    assert data.split(faces, 0.1, seed=4) != (training, validation)


# --- crops


def test_the_middle_of_a_patch_is_the_crop_that_runs(demo_frames):
    faces = FaceFinder(check=False).find(demo_frames[0])
    cut = crop_faces(demo_frames[0], faces, patches.PATCH_REGION, patches.PATCH_SIZE)
    difference = np.abs(plain(cut).astype(int) - crop_faces(demo_frames[0], faces))
    assert len(faces) == 1
    assert difference.max() <= 1


def test_the_face_that_is_meant():
    left, right = face_at(60, 80, 40), face_at(200, 80, 60)
    assert patches.meant_face([left, right], labelled(eyes=((52, 81), (72, 81))), (200, 256)) is left
    assert patches.meant_face([left, right], labelled(eyes=((120, 81), (140, 81))), (200, 256)) is None
    assert patches.meant_face([left, right], labelled(eyes=((72, 81), (52, 81))), (200, 256)) is None  # upside down
    assert patches.meant_face([left, right], labelled(), (200, 256)) is right
    middle = face_at(128, 80, 50)
    assert patches.meant_face([face_at(250, 180, 55), middle], labelled(), (200, 256)) is middle
    assert patches.meant_face([], labelled(), (200, 256)) is None


def test_pictures_without_a_face_are_told(tmp_path):
    cv2.imwrite(str(tmp_path / "0.jpg"), np.full((120, 120, 3), 90, np.uint8))
    labels = data.read_labels(write_labels(tmp_path, [{"gap_ratio": 0.1}]))
    with pytest.raises(DataError, match="no face found"):
        patches.cut_patches(labels)
    (tmp_path / "0.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"0\.jpg: cannot read this picture"):
        patches.cut_patches(labels)


def test_cut_mouths_are_kept_and_cut_again_only_when_needed(real_faces, tmp_path):
    labels, cache = data.read_labels(real_faces)[:3], tmp_path / "cache" / "patches.npz"
    cv2.imwrite(str(labels[1].file), np.zeros((100, 100, 3), np.uint8))
    first = patches.load_patches(real_faces, cache, labels)
    assert first.images.shape == (2, 96, 96, 3)
    assert (first.faces, first.missed) == ([labels[0], labels[2]], [labels[1]])
    for label in labels[1:]:
        label.file.unlink()
    again = patches.load_patches(real_faces, cache, labels)
    assert (again.faces, again.missed) == (first.faces, first.missed)
    assert np.array_equal(again.images, first.images)
    assert len(patches.load_patches(real_faces, cache, labels[:1]).faces) == 1
    cache.write_bytes(cache.read_bytes()[:1000])
    assert len(patches.load_patches(real_faces, cache, labels[:1]).faces) == 1
    assert [p.name for p in cache.parent.iterdir()] == ["patches.npz"]


# --- variations


def test_variations_are_seeded_and_keep_shape_and_dtype():
    patches = np.random.default_rng(0).integers(0, 256, (24, 96, 96, 3), np.uint8)
    crops = varied(patches, np.random.default_rng(5))
    assert (crops.shape, crops.dtype) == ((24, 60, 60, 3), np.uint8)
    assert np.array_equal(crops, varied(patches, np.random.default_rng(5)))
    assert not np.array_equal(crops, varied(patches, np.random.default_rng(6)))


def test_variations_move_turn_mirror_and_light_the_mouth_a_little():
    patch = np.full((96, 96, 3), 60, np.uint8)
    cv2.line(patch, (36, 47), (60, 47), (255, 255, 255), 3)
    patch[42:53, 57:61] = 255  # thicker on the right: shows which are mirrored
    crops = varied(np.repeat(patch[None], 200, axis=0), np.random.default_rng(0)).astype(float).mean(axis=3)
    bright = crops > (crops.min(axis=(1, 2)) + crops.max(axis=(1, 2)))[:, None, None] / 2
    shown = [np.argwhere(b) for b in bright if 20 < b.sum() < 400]
    centres = np.array([points.mean(axis=0) for points in shown]) - 29.5
    assert len(shown) > 150
    assert np.abs(centres[:, 0].mean()) < 1
    assert 1 < centres[:, 0].std() < 5
    right = np.mean([np.median(p[:, 1]) < p[:, 1].mean() for p in shown])
    assert 0.2 < right < 0.8
    assert 8 < crops[:, :10].mean(axis=(1, 2)).std() < 40


# --- network and preset


def test_the_reference_preset_is_the_references():
    reference = network.preset("reference")
    assert dataclasses.is_dataclass(reference)
    assert (reference.batch, reference.epochs, reference.validation, reference.learning_rate) == (32, 40, 0.1, 1e-3)
    assert (reference.slow_patience, reference.slow_factor, reference.stop_patience) == (2, 0.1, 5)
    with pytest.raises(DataError, match=r"'mine'; known: compact, reference"):
        network.preset("mine")


def test_gender_pairs_say_nothing_and_are_often_neutral():
    pairs = network.gender_pairs(2000, 0.5, np.random.default_rng(0))
    assert (pairs.shape, pairs.dtype) == ((2000, 2), np.float32)
    assert pairs.sum(axis=1) == pytest.approx(1, abs=1e-6)
    neutral = np.all(pairs == 0.5, axis=1)
    assert 0.45 < neutral.mean() < 0.55
    assert pairs[~neutral, 0].mean() == pytest.approx(0.5, abs=0.05)
    assert pairs[:, 0].min() < 0.1 < 0.9 < pairs[:, 0].max()


@pytest.mark.train
def test_the_reference_network_layer_by_layer():
    model = network.reference_network()
    counts = [(type(layer).__name__, layer.count_params()) for layer in model.layers if layer.count_params()]
    convolutions = [("Conv2D", n) for n in (896, 9_248, 18_496, 36_928, 36_928)]
    assert counts == [*convolutions, ("Dense", 1_327_360), ("Dense", 16_576), ("Dense", 65)]
    assert model.count_params() == 1_446_497
    assert [tuple(i.shape) for i in model.inputs] == [(None, 60, 60, 3), (None, 2)]
    flatten = next(layer for layer in model.layers if type(layer).__name__ == "Flatten")
    assert tuple(flatten.output.shape) == (None, 9 * 9 * 64)
    slopes = [layer.negative_slope for layer in model.layers if type(layer).__name__ == "LeakyReLU"]
    drops = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
    decays = [float(layer.kernel_regularizer.l2) for layer in model.layers if type(layer).__name__ == "Dense"]
    assert (slopes, drops, decays) == ([0.06, 0.06], [0.25, 0.25], [pytest.approx(0.001)] * 3)


# --- measuring


def test_measuring_compares_with_the_mean_and_counts_missed_faces_as_it():
    faces = [labelled(o, source=s) for s in "ab" for o in (0.0, 0.5, 1.0)]
    truth = np.array([f.openness for f in faces], np.float32)
    exact = run_report.measure(faces, truth, [])
    assert (exact.faces, exact.missed, exact.mse, exact.mae, exact.pearson) == (6, 0, 0, 0, pytest.approx(1))
    mean = run_report.measure(faces, np.full(6, 0.5, np.float32), [])
    assert (mean.ratio, mean.pearson) == (pytest.approx(1), 0)
    missed = run_report.measure(faces[:5], truth[:5], faces[5:])
    assert (missed.faces, missed.missed) == (6, 1)
    assert missed.mse == pytest.approx(0.5**2 / 6)
    assert {name: (m.faces, m.missed) for name, m in missed.by_source.items()} == {"a": (3, 0), "b": (3, 1)}
    assert missed.by_openness["wide"] == (pytest.approx(0.25), 2)
    assert "not found: b 1" in missed.as_text()
    assert json.loads(missed.as_json())["by_source"]["b"]["missed"] == 1


# --- a whole run


@pytest.fixture(scope="module")
def drawn_mouths():
    """64 drawn mouths of 16 people, some for the test part."""
    rng = np.random.default_rng(0)
    faces = [
        labelled(float(rng.random()), person=str(i % 16), part="test" if i % 16 > 12 else "train") for i in range(64)
    ]
    images = np.full((64, 96, 96, 3), (200, 150, 130), np.uint8)
    for image, face in zip(images, faces, strict=True):
        cv2.ellipse(image, (48, 50), (14, 1 + int(14 * face.openness)), 0, 0, 360, (60, 20, 20), -1)
    return Patches(faces, images, [])


@pytest.fixture(scope="module")
def finished_run(drawn_mouths, tmp_path_factory):
    from mouth_live.models.training.train import train_on

    run = tmp_path_factory.mktemp("run")
    return run, train_on(drawn_mouths, run, TINY, seed=0)


@pytest.mark.train
def test_the_schedule_is_the_presets(drawn_mouths, tmp_path, monkeypatch):
    import keras

    from mouth_live.models.training.train import train_on

    class Seen(Exception):  # noqa: N818
        pass

    def fit(model, batches, *, callbacks, epochs, steps_per_epoch, **_more):
        raise Seen(model, batches, {type(c).__name__: c for c in callbacks}, epochs, steps_per_epoch)

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(Seen) as caught:
        train_on(drawn_mouths, tmp_path, network.preset("reference"), seed=0)
    model, batches, callbacks, epochs, steps = caught.value.args
    assert (type(model.optimizer).__name__, float(model.optimizer.learning_rate)) == ("Adam", pytest.approx(1e-3))
    assert (model.loss, epochs, steps) == ("mse", 40, 1)
    slower = callbacks["ReduceLROnPlateau"]
    assert (slower.patience, slower.factor, slower.monitor) == (2, 0.1, "val_loss")
    assert callbacks["EarlyStopping"].patience == 5
    assert callbacks["ModelCheckpoint"].save_best_only
    (crops, pairs), truth, weights = next(batches)
    assert (crops.shape, crops.dtype, pairs.shape, truth.shape) == ((32, 60, 60, 3), np.float32, (32, 2), (32,))
    assert 0 <= crops.min() < crops.max() <= 1
    assert weights == pytest.approx(1 + truth)


@pytest.mark.train
def test_a_run_leaves_weights_history_curve_and_report(finished_run):
    run, report = finished_run
    names = {"weights.keras", "history.csv", "curve.png", "report.json", "report.md"}
    assert {p.name for p in run.iterdir()} == names
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(math.isfinite(float(row[name])) for row in rows for name in ("loss", "val_loss", "seconds"))
    assert float(rows[0]["learning_rate"]) == pytest.approx(1e-3)
    curve = cv2.imread(str(run / "curve.png"))
    assert curve is not None
    assert curve.std() > 10
    facts = json.loads((run / "report.json").read_text())
    assert (facts["preset"]["name"], facts["seed"], facts["epochs"]) == ("tiny", 0, 2)
    assert facts["data"]["training"] == {"a": 40}
    assert facts["test"]["faces"] == report.faces == 12
    assert "mean" in (run / "report.md").read_text()


@pytest.mark.train
@pytest.mark.slow
def test_the_exported_file_reads_like_keras(finished_run, tmp_path, drawn_mouths):
    import keras

    from mouth_live.models.training.export import check_export, export

    out = tmp_path / "mine.tflite"
    export(finished_run[0], out)
    assert {p.name for p in tmp_path.iterdir()} == {"mine.tflite", "mine.keras", "mine.json"}
    assert out.stat().st_size > 4 * 1_446_497
    crops = np.ascontiguousarray(plain(drawn_mouths.images))
    model = keras.models.load_model(finished_run[0] / "weights.keras", compile=False)
    expected = model.predict([crops / np.float32(255), np.full((64, 2), 0.5, np.float32)], verbose=0)[:, 0]
    read = load_openness_model(out, "cpu").predict
    assert read(crops) == pytest.approx(expected, abs=1e-4)
    assert read(crops[:1]) == pytest.approx(expected[:1], abs=1e-4)
    card = json.loads(out.with_suffix(".json").read_text())
    assert {i["name"] for i in card["inputs"]} == {"crop", "gender"}
    assert card["metrics"]["test"]["faces"] == 12
    with pytest.raises(ModelError, match=r"reads up to .* otherwise"):
        check_export(network.reference_network(), out)
    out.write_bytes(out.read_bytes()[:10_000])
    with pytest.raises(ModelError, match="left weights out"):
        check_export(model, out)


@pytest.fixture(scope="module")
def compact_run(drawn_mouths, tmp_path_factory):
    from mouth_live.models.training import compact, compact_training, trunk
    from mouth_live.models.training.train import train_on

    covered = [
        dataclasses.replace(f, covered=i % 4 == 0 and f.part == "train") for i, f in enumerate(drawn_mouths.faces)
    ]
    run = tmp_path_factory.mktemp("compact")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact_training, "STEPS", 6)
        # A shorter trunk, for TensorFlow takes half a minute to trace the whole one.
        patch.setattr(trunk, "BLOCKS", 0)
        patch.setattr(compact, "load_pretrained", lambda model: None)
        report = train_on(Patches(covered, drawn_mouths.images, []), run, COMPACT, seed=0)
    return run, report


@pytest.mark.train
@pytest.mark.slow
def test_a_compact_run_reads_the_same_in_keras_litert_and_tensorflow(compact_run, drawn_mouths, tmp_path):
    import keras

    from mouth_live.models import openness
    from mouth_live.models.gpu.crop_reader import CropReader
    from mouth_live.models.training.export import export
    from mouth_live.models.weights_file import load_weights

    run, report = compact_run
    assert report.faces == 12
    assert len((run / "history.csv").read_text().splitlines()) == 4
    out = tmp_path / "mine.tflite"
    export(run, out)
    crops = np.ascontiguousarray(plain(drawn_mouths.images))
    expected = keras.models.load_model(run / "weights.keras", compile=False).predict(crops / np.float32(255), verbose=0)
    assert expected.shape == (64, 2)
    assert expected.std(axis=0).min() > 1e-4
    weights = load_weights(out, "openness")
    once_each = CropReader(weights, unsure=0, pair=(0.5, 0.5))
    for read in (openness.litert_backend(weights), once_each.read):
        for few in (crops, crops[:3]):
            values = read(few)
            assert values.dtype == np.float32
            assert values == pytest.approx(expected[: len(few)], abs=1e-4)
    card = json.loads(out.with_suffix(".json").read_text())
    assert [i["name"] for i in card["inputs"]] == ["crop"]
    assert "reliability" in card["output"]
    assert card["preset"]["name"] == "small"


@pytest.mark.train
@pytest.mark.slow
def test_training_goes_on_from_weights_and_needs_no_test_part(
    compact_run, drawn_mouths, real_faces, tmp_path, monkeypatch, caplog
):
    import keras

    from mouth_live.models.training import compact, compact_training, trunk
    from mouth_live.models.training.export import export
    from mouth_live.models.training.last_layer import load_twin
    from mouth_live.models.training.train import train, train_on

    monkeypatch.setattr(compact_training, "STEPS", 6)
    monkeypatch.setattr(trunk, "BLOCKS", 0)
    monkeypatch.setattr(compact, "load_pretrained", lambda model: None)
    export(compact_run[0], tmp_path / "first.tflite")
    first = load_twin(tmp_path / "first.tflite")
    crops = plain(drawn_mouths.images)

    model = compact.training_network()
    compact.begin_with(model, first.model)
    read = network.read_crops(compact.running_network(model), crops)
    assert read == pytest.approx(network.read_crops(first.model, crops), abs=1e-6)
    with pytest.raises(ModelError, match="not of the compact network"):
        compact.begin_with(model, network.reference_network())

    run = tmp_path / "run"
    run.mkdir()
    untested = drawn_mouths.chosen(i for i, face in enumerate(drawn_mouths.faces) if face.part != "test")
    assert train_on(untested, run, COMPACT, seed=1, base=first) is None
    assert "the errors of this network cannot be measured" in caplog.text
    assert len((run / "history.csv").read_text().splitlines()) == 2  # the last phase, and the header
    facts = json.loads((run / "report.json").read_text())
    assert facts["from"] == {"name": "first", "sha256": first.weights.card["sha256"]}
    assert "--from first" in facts["command"]
    second = network.read_crops(keras.models.load_model(run / "weights.keras", compile=False), crops)
    assert 0 < np.abs(second - read).mean() < 0.2  # it learned on, from there

    with pytest.raises(ModelError, match="not of the compact network"):
        train(real_faces, tmp_path / "not begun", base="openness_reference")
    assert not (tmp_path / "not begun").exists()
    with pytest.raises(DataError, match="leave --from away"):
        train(tmp_path, run, "reference", base="openness_reference")


@pytest.mark.slow
@pytest.mark.train
def test_export_without_a_run_or_a_place_is_told(finished_run, tmp_path):
    from mouth_live.models.training.export import export

    with pytest.raises(DataError, match="no finished training run"):
        export(tmp_path, tmp_path / "a.tflite")
    with pytest.raises(DataError, match=r"ends in \.tflite"):
        export(finished_run[0], tmp_path / "a.keras")
    with pytest.raises(DataError, match="cannot write it"):
        export(finished_run[0], tmp_path / "nowhere" / "a.tflite")


@pytest.mark.train
@pytest.mark.slow
def test_train_and_evaluate_from_labelled_pictures(real_faces, tmp_path, monkeypatch):
    from mouth_live.models.training.export import export
    from mouth_live.models.training.train import train

    monkeypatch.setitem(network.PRESETS, "tiny", TINY)
    run = tmp_path / "run"
    with (real_faces / "labels.csv").open("a", encoding="utf-8") as table:  # a set whose pictures are not even there
        table.write((real_faces / "labels.csv").read_text().splitlines()[1].replace("0.jpg,a,", "gone.jpg,b,") + "\n")
    report = train(real_faces, run, "tiny", seed=1, exclude=["b"])
    assert (report.faces, report.missed) == (6, 0)
    told = json.loads((run / "report.json").read_text())["command"]
    assert told == "mouth-live train --data FACES --preset tiny --seed 1 --exclude b"
    with pytest.raises(DataError, match="holds a run already"):
        train(real_faces, run, "tiny")
    export(run, tmp_path / "made.tflite")
    measured = evaluation.evaluate(tmp_path / "made.tflite", evaluation.Choice(real_faces)).report.overall
    assert (measured.faces, measured.missed) == (6, 0)
    assert measured.mse.value == pytest.approx(report.mse, abs=1e-4)


@pytest.mark.train
@pytest.mark.slow
def test_folds_read_each_person_with_a_network_that_never_saw_them(real_faces, tmp_path, monkeypatch):
    from mouth_live.models.training import train as training

    monkeypatch.setitem(network.PRESETS, "tiny", dataclasses.replace(TINY, epochs=1))
    seen = []
    fit = training.fit_reference

    def watched(faces, *rest):
        seen.append({face.group for face in faces.faces})
        return fit(faces, *rest)

    monkeypatch.setattr(training, "fit_reference", watched)
    run, people = tmp_path / "run", {face.group for face in data.read_labels(real_faces) if face.part != "test"}
    report = training.train(real_faces, run, "tiny", folds=2)
    left_out = [{group for group in people if data.fold_of(group, 2) == k} for k in (0, 1)]
    assert all(left_out)
    assert [group & left for group, left in zip(seen, left_out, strict=True)] == [set(), set()]
    measured = evaluation.evaluate(run / "left_out.csv", evaluation.Choice(real_faces, part="train")).report.overall
    assert (measured.faces, measured.missed) == (report.faces, 0)
    assert measured.mse.value == pytest.approx(report.mse, abs=1e-4)
    assert not (run / "weights.keras").exists()

    (run / "fold-1" / "report.json").unlink()  # as if stopped there
    assert training.train(real_faces, run, "tiny", folds=2).mse == pytest.approx(report.mse, abs=0.1)
    assert len(seen) == 3
    training.train(real_faces, run, "tiny")  # one for use, beside them
    assert (run / "weights.keras").exists()
    assert training.train(real_faces, run, "tiny", folds=2).faces == report.faces
    assert len(seen) == 4
    with pytest.raises(DataError, match="fold-0: holds a run with other data or settings"):
        training.train(real_faces, run, "tiny", seed=1, folds=2)
    with pytest.raises(DataError, match="give fewer --folds"):
        training.train(real_faces, run, "tiny", folds=1000, overwrite=True)


@pytest.mark.train
def test_too_few_faces_and_an_unknown_preset_are_told(real_faces, tmp_path, drawn_mouths):
    from mouth_live.models.training.train import train, train_on

    with pytest.raises(DataError, match="too few"):
        train_on(drawn_mouths.chosen(range(5)), tmp_path, TINY, seed=0)
    with pytest.raises(DataError, match="known: compact, reference"):
        train(real_faces, tmp_path / "run", "mine")

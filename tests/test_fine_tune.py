"""Fine-tuning to one's own labels: the last layer, what it must not spoil, the way from table to exported file."""

import csv
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from mouth_live.models import DataError, ModelError, load_openness_model
from mouth_live.models.openness import DEFAULT_WEIGHTS
from mouth_live.models.training import fine_tune
from mouth_live.models.training.evaluation.evaluate import Choice, evaluate
from mouth_live.models.training.export import export
from mouth_live.models.training.keep import read_keep, summarise_keep
from mouth_live.models.training.last_layer import Keep, load_head, sigmoid, solve
from mouth_live.models.training.own_labels import OwnLabel, write_own_labels
from mouth_live.models.weights_file import WEIGHTS_FOLDER, load_weights
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.labelling.candidates import find_candidates, spread_out
from mouth_live.realtime.video.frames_at import frames_at

# TensorFlow's arrays under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BASE = "openness_reference"


def random_keep(size, rng, pull=0.0):
    root = rng.normal(0, 0.1, (size, size))
    return Keep(0.02, rng.normal(0, pull, size) if pull else np.zeros(size), root @ root.T, 100)


# --- the last layer


def test_the_fit_is_the_minimum_of_own_error_and_what_must_be_kept():
    rng = np.random.default_rng(0)
    inputs = np.concatenate([rng.normal(0, 1, (40, 5)), np.ones((40, 1))], axis=1)
    start, truth, keep = rng.normal(0, 0.5, 6), rng.random(40), random_keep(6, rng, 0.001)

    def objective(change):
        own = np.mean((sigmoid(inputs @ (start + change)) - truth) ** 2)
        return own + 0.3 * (2 * keep.gradient @ change + change @ keep.curvature @ change)

    expected = minimize(objective, np.zeros(6), method="BFGS")
    change = solve(inputs, truth, start, keep, 0.3)
    assert objective(change) == pytest.approx(expected.fun, rel=1e-3)
    assert objective(change) < objective(np.zeros(6)) - 0.01
    assert keep.rise(change) > 0
    firm = solve(inputs, truth, start, replace(keep, gradient=np.zeros(6)), 1e6)
    assert np.abs(firm).max() < 1e-3


@pytest.mark.train
@pytest.mark.slow
def test_the_summary_tells_how_the_error_elsewhere_moves():
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (64, 60, 60, 3), np.uint8)
    crops = np.stack([np.clip(c // 4 + rng.integers(20, 180), 0, 255).astype(np.uint8) for c in crops])
    truth = rng.random(64)
    _, head = load_head(BASE)
    keep = summarise_keep(head, crops, truth)
    inputs = head.inputs_of(crops)
    assert sigmoid(inputs @ head.weights) == pytest.approx(load_openness_model(BASE, "cpu").predict(crops), abs=1e-4)

    def error(change):
        return np.mean((sigmoid(inputs @ (head.weights + change)) - truth) ** 2)

    assert keep.error == pytest.approx(error(0))
    change = rng.normal(0, 1e-4, len(head.weights))
    assert keep.rise(change) == pytest.approx(error(change) - keep.error, rel=0.05)


# --- the whole way


@pytest.fixture(scope="module")
def another_scale(demo_clip, tmp_path_factory):
    """30 frames of the demo, labelled as the network reads them but on another scale: the user's own."""
    table = tmp_path_factory.mktemp("own") / "mine.csv"
    found = find_candidates(demo_clip, AnalysisSettings(model=BASE))
    labels = [
        OwnLabel(str(demo_clip), c.frame, c.time, c.box, round(min(1.0, 0.15 + 0.8 * c.openness), 3))
        for c in spread_out(found, 30)
    ]
    write_own_labels(table, labels)
    return table, labels, found


@pytest.fixture(scope="module")
def tuned(another_scale, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "mine"
    return run, fine_tune.fine_tune(BASE, another_scale[0], run, frames_at)


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fine_tune, "VARIATIONS", 3)
        yield


@pytest.mark.train
@pytest.mark.slow
def test_own_labels_lower_the_own_error_on_frames_the_fit_did_not_see(tuned):
    run, fit = tuned
    assert fit.held_out < 0.6 * fit.before
    assert fit.after <= fit.held_out
    rows = list(csv.DictReader((run / "history.csv").read_text().splitlines()))
    elsewhere = [float(row["elsewhere"]) for row in rows]
    assert elsewhere[-1] == pytest.approx(fit.elsewhere)
    assert fit.elsewhere <= min(elsewhere) + 0.05
    facts = json.loads((run / "report.json").read_text())
    assert facts["data"]["own_frames"] == 30
    assert facts["from"]["name"] == BASE
    assert facts["own"]["held_out"] == pytest.approx(fit.held_out)
    assert "own frames" in (run / "report.md").read_text()


@pytest.mark.train
@pytest.mark.slow
def test_the_run_is_exported_and_only_the_last_layer_differs(tuned, tmp_path, another_scale):
    import keras

    run, fit = tuned
    export(run, tmp_path / "mine.tflite")
    assert "fine-tuned from" in json.loads((tmp_path / "mine.json").read_text())["title"]
    shipped = keras.models.load_model(WEIGHTS_FOLDER / f"{BASE}.keras", compile=False)
    mine = keras.models.load_model(tmp_path / "mine.keras", compile=False)
    changed = [
        layer.name
        for layer, other in zip(mine.layers, shipped.layers, strict=True)
        if any(not np.array_equal(a, b) for a, b in zip(layer.get_weights(), other.get_weights(), strict=True))
    ]
    assert changed == ["openness"]
    measured = evaluate(tmp_path / "mine.tflite", Choice(another_scale[0], compare=BASE, read_frames=frames_at)).report
    assert measured.overall.mse.value == pytest.approx(fit.after, abs=2e-4)
    assert measured.versus[-1].overall.error_ratio.value > 1.4


@pytest.mark.slow
@pytest.mark.train
def test_where_there_is_nothing_to_gain_nothing_is_written(another_scale, tmp_path):
    table = tmp_path / "right.csv"
    read = {c.frame: c.openness for c in another_scale[2]}
    write_own_labels(table, [replace(label, openness=read[label.frame]) for label in another_scale[1]])
    with pytest.raises(DataError, match="fitting does not help"):
        fine_tune.fine_tune(BASE, table, tmp_path / "run", frames_at)
    assert not (tmp_path / "run").exists()


@pytest.mark.train
def test_what_cannot_be_tuned_is_told(another_scale, tuned, tmp_path):
    table, labels, _ = another_scale
    with pytest.raises(DataError, match="holds a run already"):
        fine_tune.fine_tune(BASE, table, tuned[0], frames_at)
    with pytest.raises(DataError, match="neither a table that mouth-live label made"):
        fine_tune.fine_tune(BASE, tmp_path, tmp_path / "run", frames_at)
    write_own_labels(tmp_path / "few.csv", labels[:5])
    with pytest.raises(DataError, match=r"5 labelled frames .* too few"):
        fine_tune.fine_tune(BASE, tmp_path / "few.csv", tmp_path / "run", frames_at)
    with pytest.raises(ModelError, match="no weights named 'nonsense'"):
        fine_tune.fine_tune("nonsense", table, tmp_path / "run", frames_at)


@pytest.mark.train
def test_the_shipped_default_can_be_tuned():
    weights, head = load_head(DEFAULT_WEIGHTS)
    keep = read_keep(DEFAULT_WEIGHTS, weights)
    assert keep is not None
    assert keep.gradient.shape == head.weights.shape


@pytest.mark.train
def test_a_summary_belongs_to_its_weights(tmp_path):
    weights = load_weights(BASE, "openness")
    keep = read_keep(BASE, weights)
    assert keep.faces > 3000
    assert np.linalg.eigvalsh(keep.curvature).min() > -1e-6
    with pytest.raises(ModelError, match="belongs to other weights"):
        read_keep(BASE, replace(weights, content=b"other"))
    copy = tmp_path / "mine.keep.npz"
    copy.write_bytes((WEIGHTS_FOLDER / f"{BASE}.keep.npz").read_bytes()[:500])
    with pytest.raises(ModelError, match="damaged"):
        read_keep(tmp_path / "mine.tflite", weights)
    copy.unlink()
    assert read_keep(tmp_path / "mine.tflite", weights) is None


@pytest.mark.train
@pytest.mark.clips
@pytest.mark.slow
def test_labels_of_one_clip_help_on_another_of_the_same_man(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(fine_tune, "VARIATIONS", 16)
    labels, clips = Path(__file__).parent / "labels", shared / "clips"
    fine_tune.fine_tune("openness_compact", labels / "cap12.csv", tmp_path / "run", frames_at, clips)
    export(tmp_path / "run", tmp_path / "mine.tflite")
    choice = Choice(labels / "cap13.csv", videos=clips, compare="openness_compact", read_frames=frames_at)
    pair = evaluate(tmp_path / "mine.tflite", choice).report.versus[-1].overall
    assert (pair.faces, pair.missed) == (100, (0, 0))
    assert pair.mae_difference.high < 0  # a smaller error, beyond chance
    assert pair.auc_difference.low > -0.02


@pytest.fixture(scope="module")
def av1_copy(another_scale, demo_clip, tmp_path_factory):
    """The labels of :func:`another_scale` on an AV1 copy of the clip, which OpenCV cannot decode everywhere."""
    folder = tmp_path_factory.mktemp("av1")
    video, table = folder / "copy.mp4", folder / "mine.csv"
    codec = ["-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "20", "-row-mt", "1", "-an"]
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", demo_clip, *codec, video], check=True)
    write_own_labels(table, [replace(label, video="copy.mp4") for label in another_scale[1]])
    return table


@pytest.mark.slow
def test_an_av1_copy_is_evaluated_as_the_original(another_scale, av1_copy):
    original, copy = (
        evaluate(BASE, Choice(table, read_frames=frames_at)).report for table in (another_scale[0], av1_copy)
    )
    assert (copy.overall.faces, copy.overall.missed) == (30, 0)
    values = [[face.value for face in report.faces] for report in (original, copy)]
    assert np.abs(np.subtract(*values)).mean() < 0.02
    assert copy.overall.mse.value == pytest.approx(original.overall.mse.value, rel=0.15)


@pytest.mark.train
@pytest.mark.slow
def test_an_av1_copy_is_trained_on_as_the_original(tuned, av1_copy, tmp_path):
    fit = fine_tune.fine_tune(BASE, av1_copy, tmp_path / "run", frames_at)
    assert fit.before == pytest.approx(tuned[1].before, rel=0.15)
    assert fit.held_out < 0.6 * fit.before


def test_own_labels_need_a_reader_of_frames(another_scale):
    with pytest.raises(ValueError, match="read_frames"):
        evaluate(BASE, Choice(another_scale[0]))


def test_options_that_do_not_go_together(mouth_live, tmp_path):
    (tmp_path / "a.csv").touch()
    for name in ("faces", "v"):
        (tmp_path / name).mkdir()
    done = mouth_live("train", "--from", "shipped", "--data", "a.csv", "--preset", "reference")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--preset needs a folder of faces" in done.stderr
    done = mouth_live("train", "--from", "shipped", "--data", ".", "--permissive")
    assert (done.returncode, "may be trained on all sets" in done.stderr) == (2, True)
    done = mouth_live("train", "--data", "faces", "--videos", "v")
    assert (done.returncode, "need --from" in done.stderr) == (2, True)

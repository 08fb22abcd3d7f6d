"""The compact network's trunk: it is mediapipe's, and its weights file is checked."""

import json
import zipfile

import numpy as np
import pytest

from mouth_live.models import DataError, ModelError
from mouth_live.models.training import trunk

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # TensorFlow's, under NumPy 2
]


def network(size, pretrained=True):
    import keras

    picture = keras.Input((size, size, 3))
    model = keras.Model(picture, trunk.trunk(picture))
    if pretrained:
        trunk.load_pretrained(model)
    return model


@pytest.mark.slow
def test_it_gives_what_the_original_gives():
    y, x = np.mgrid[:256, :256]
    waves = [0.5 + 0.5 * np.sin(x / (5 + 3 * c) + y / (9 - 2 * c) + c) for c in range(3)]
    eighth, sixteenth = network(256).predict(np.stack(waves, axis=-1)[None].astype(np.float32), verbose=0)
    assert (eighth.shape, sixteenth.shape) == ((1, 32, 32, 64), (1, 16, 16, 128))
    # Read from face_landmarks_detector.tflite of mediapipe's face_landmarker.task, run in LiteRT.
    original = [1.2993753, 0.39161202, -0.04403309, 0.05749767]
    assert eighth[0, [3, 10, 20, 31], [5, 30, 16, 0], [0, 20, 40, 63]] == pytest.approx(original, abs=1e-4)
    original = [-0.02122929, 0.55042523, 0.39569038, 0.11920211]
    assert sixteenth[0, [1, 5, 10, 15], [2, 14, 8, 0], [0, 40, 80, 127]] == pytest.approx(original, abs=1e-4)


@pytest.mark.slow
def test_a_damaged_or_foreign_weights_file_is_refused(tmp_path):
    model = network(32, pretrained=False)
    path = tmp_path / "face_trunk.npz"
    with pytest.raises(ModelError, match="cannot read it"):
        trunk.load_pretrained(model, path)
    content = trunk.PRETRAINED.read_bytes()
    path.write_bytes(content[:5000] + b"?" + content[5001:])
    card = trunk.PRETRAINED.with_suffix(".json").read_text(encoding="utf-8")
    path.with_suffix(".json").write_text(card, encoding="utf-8")
    with pytest.raises(ModelError, match="damaged or changed"):
        trunk.load_pretrained(model, path)


def as_half_precision(model, folder):
    """The network as a LiteRT file with float16 weights, as mediapipe's is."""
    import tensorflow

    model.export(folder, verbose=False)
    converter = tensorflow.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tensorflow.float16]
    return converter.convert()


@pytest.mark.slow
def test_the_weights_file_is_taken_from_the_model_file(tmp_path, tmp_path_factory, monkeypatch):
    # The model file itself is not here; such a network, shorter and converted as that was, stands for it.
    monkeypatch.setattr(trunk, "BLOCKS", 1)
    model = network(32, pretrained=False)
    model.set_weights([np.random.default_rng(0).normal(size=w.shape).astype(np.float16) for w in model.get_weights()])
    task, out = tmp_path / "face_landmarker.task", tmp_path / "made.npz"
    with zipfile.ZipFile(task, "w") as archive:
        archive.writestr(trunk.NETWORK, as_half_precision(model, tmp_path_factory.mktemp("saved")))
    trunk.write_pretrained(task, out)
    assert {p.name for p in tmp_path.iterdir()} == {task.name, "made.npz", "made.json"}
    assert json.loads(out.with_suffix(".json").read_text())["licence"] == "Apache-2.0"
    other = network(32, pretrained=False)
    trunk.load_pretrained(other, out)
    for made, given in zip(other.get_weights(), model.get_weights(), strict=True):
        assert made == pytest.approx(given, abs=0)
    with np.load(trunk.PRETRAINED) as shipped:
        assert all(shipped[name].dtype == np.float16 for name in shipped.files)


def test_a_wrong_model_file_is_told(tmp_path):
    wrong = tmp_path / "wrong.task"
    with pytest.raises(DataError, match=r"not mediapipe's face_landmarker\.task"):
        trunk.write_pretrained(wrong, tmp_path / "made.npz")
    wrong.write_text("no")
    with pytest.raises(DataError, match=r"not mediapipe's face_landmarker\.task"):
        trunk.write_pretrained(wrong, tmp_path / "made.npz")

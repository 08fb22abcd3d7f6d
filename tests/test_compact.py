"""The compact network: its labels, variations, occlusion, landmark points, batches; the shipped weights."""

import csv
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mouth_live import realtime
from mouth_live.models import DataError, FaceFinder, crop_faces, load_openness_model, openness
from mouth_live.models.training import (
    augment,
    compact,
    compact_batches,
    compact_training,
    data,
    data_view,
    landmarks,
    lip_points,
    network,
    occlusion,
    tongues,
)
from mouth_live.models.training.data import LabelledFace
from mouth_live.models.training.landmarks_reading import to_patch
from mouth_live.models.training.patches import PATCH_REGION, PATCH_SIZE, Patches
from mouth_live.models.weights_file import load_weights

COLUMNS = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden", "note"]
COLUMNS += ["eye1_x", "eye1_y", "eye2_x", "eye2_y"]


def write_labels(folder, rows):
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({"file": f"{i}.jpg", "set": "a", "part": "train", "person": i} | r for i, r in enumerate(rows))
    return folder


def face(openness=0.5, by_people=True, **more):
    return LabelledFace(Path("f.jpg"), "a", "train", "a/x", openness, by_people, None, **more)


@pytest.fixture(scope="module")
def demo():
    """A frame with a face, and that face."""
    video = cv2.VideoCapture(str(Path(realtime.__file__).parent / "commands" / "demo.mp4"))
    image = video.read()[1]
    video.release()
    return image, FaceFinder(check=False).find(image)[0]


# --- labels


def test_sets_can_be_left_out_and_covered_mouths_are_told_apart(tmp_path):
    rows = [
        {"gap_ratio": 0.12, "landmarker_gap_ratio": 0.45},
        {"set": "mux_web", "landmarker_gap_ratio": 0.12},
        {"set": "b", "note": "masked"},
        {"gap_ratio": 0.12, "mouth_points_hidden": 6},
        {"gap_ratio": 0.12, "mouth_points_hidden": 6, "part": "test"},
        {"gap_ratio": 0.12, "mouth_points_hidden": 2},
    ]
    folder = write_labels(tmp_path, rows)
    faces = data.read_labels(folder)
    assert [(f.file.name, f.openness, f.measured, f.covered) for f in faces] == [
        ("0.jpg", pytest.approx(0.5), 1.0, False),
        ("1.jpg", pytest.approx(0.5), pytest.approx(0.5), False),
    ]
    assert [(f.file.name, f.covered) for f in data.read_covered(folder)] == [("2.jpg", True), ("3.jpg", True)]
    assert [f.source for f in data.read_labels(folder, {"a"})] == ["mux_web"]
    assert data.read_covered(folder, {"a", "b"}) == []
    assert data.not_permissive(folder) == ["a", "b"]
    with pytest.raises(DataError, match="no set named nonsense; it has a, b, mux_web"):
        data.read_labels(folder, {"nonsense"})


def test_dropped_pictures_are_not_trained_on_but_stay_in_the_test(tmp_path):
    dropped = data.dropped_files()
    assert dropped
    assert all(reason and name.startswith("images/") for name, reason in dropped.items())
    name = next(iter(dropped))
    rows = [{"file": name, "gap_ratio": 0.1}, {"file": name, "gap_ratio": 0.1, "part": "test"}, {"gap_ratio": 0.1}]
    assert [f.part for f in data.read_labels(write_labels(tmp_path, rows))] == ["test", "train"]


def test_the_view_shows_every_mouth_with_its_label(tmp_path, demo):
    folder, out = tmp_path / "faces", tmp_path / "view"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.jpg"), demo[0])
    write_labels(
        folder, [{"gap_ratio": 0.02, "landmarker_gap_ratio": 0.2}, {"landmarker_gap_ratio": 0.2}, {"gap_ratio": 1}]
    )
    files = data_view.view(folder, out)
    assert [file.name for file in files] == ["histogram.png", "contact_sheet.png", "disagreement.png"]
    sheets = [cv2.imread(str(file)) for file in files]
    assert all(sheet is not None and sheet.std() > 5 for sheet in sheets)
    filled = [sum(sheet[:96, x : x + 100].std() > 5 for x in range(0, 1600, 100)) for sheet in sheets[1:]]
    assert filled == [3, 1]
    with pytest.raises(DataError, match="cannot make this folder"):
        data_view.view(folder, tmp_path / "no" / "where")


# --- variations


@pytest.mark.parametrize("vary", [partial(augment.vary, calm=1.0), augment.vary_gently])
def test_points_go_where_the_picture_goes(vary):
    patch = np.zeros((PATCH_SIZE, PATCH_SIZE, 3), np.uint8)
    cv2.circle(patch, (40, 52), 2, (255, 255, 255), -1)
    made = vary(np.repeat(patch[None], 64, axis=0), np.random.default_rng(0))
    assert 16 < made.mirrored.sum() < 48
    for crop, matrix in zip(made.crops, made.matrices, strict=True):
        x, y = matrix @ (40, 52, 1)
        rows, columns = np.nonzero(crop[:, :, 0] > 100)
        assert (columns.mean(), rows.mean()) == (pytest.approx(x, abs=0.6), pytest.approx(y, abs=0.6))


def test_what_covers_the_mouth_is_told():
    rng = np.random.default_rng(0)
    crop = np.full((60, 60, 3), 120, np.uint8)
    made = [occlusion.cover(crop, np.zeros((96, 96, 3), np.uint8), rng) for _ in range(100)]
    shares = np.array([share for _, share in made])
    left, top, right, bottom = occlusion.MOUTH_BOX
    changed = np.array([np.mean(np.abs(c[top:bottom, left:right].astype(int) - 120).max(axis=2) > 5) for c, _ in made])
    assert np.corrcoef(shares, changed)[0, 1] > 0.8
    assert shares.min() < 0.1 < 0.6 < shares.max()
    things = [occlusion.no_mouth(np.full((96, 96, 3), 7, np.uint8), rng) for _ in range(20)]
    assert {(t.shape, t.dtype.name) for t in things} == {((60, 60, 3), "uint8")}


# --- landmarks and batches


def test_landmarks_lie_in_the_patch_where_the_picture_shows_them(demo):
    image, found = demo
    patch = crop_faces(image, [found], PATCH_REGION, PATCH_SIZE)[0]
    marked = image.copy()
    x, y = found.keypoints[3].round().astype(int)
    marked[y - 1 : y + 2, x - 1 : x + 2] = (0, 255, 0)
    difference = np.abs(crop_faces(marked, [found], PATCH_REGION, PATCH_SIZE)[0].astype(int) - patch).sum(axis=2)
    rows, columns = np.nonzero(difference > difference.max() / 2)
    (at,) = to_patch(np.array([[x + 0.5, y + 0.5]], np.float32), found)
    assert at == pytest.approx([columns.mean(), rows.mean()], abs=1)


HARD, GOOD = network.Phase(1, 1e-3), network.Phase(1, 1e-3, gentle=1.0, auxiliary=0.25)
FACES = [face(0.8), face(0.1, by_people=False, measured=0.2), face(covered=True)]
IMAGES = np.full((3, 96, 96, 3), 90, np.uint8)


def test_without_landmarks_the_labels_are_taken_as_they_are():
    known = compact_batches.make_targets(
        Patches(FACES, IMAGES, []), landmarks.no_landmarks(3), network.preset("compact"), 0
    )
    assert known.trust.tolist() == pytest.approx([1, 0.3, 0])
    assert known.openness[:2].tolist() == pytest.approx([0.8, 0.1])
    assert np.isnan(known.taught).tolist() == [True, False, True]
    assert known.taught[1] == pytest.approx(0.2)


def test_the_teacher_labels_what_people_did_not_and_has_a_say_where_they_did(monkeypatch):
    said = np.array([0.4, 0.3, 0.9, np.nan], np.float32)
    monkeypatch.setattr(compact_batches, "teach", lambda faces, read, seed: said)
    read = landmarks.no_landmarks(4)
    read.known[:3] = True
    patches = Patches([*FACES, face(0.6, by_people=False)], IMAGES[[0, 1, 2, 0]], [])
    known = compact_batches.make_targets(patches, read, network.preset("compact"), 0)
    assert known.trust.tolist() == pytest.approx([1, 0.5, 0, 0.3])
    assert known.openness[[0, 1, 3]].tolist() == pytest.approx([0.65 * 0.8 + 0.35 * 0.4, 0.3, 0.6])
    assert np.isnan(known.taught).tolist() == [False, False, True, True]


@pytest.mark.parametrize("known_points", [True, False], ids=["landmarks", "none"])
def test_a_network_trained_before_has_its_say_of_faces_without_peoples_label(monkeypatch, known_points):
    monkeypatch.setattr(
        compact_batches, "teach", lambda faces, read, seed: np.array([0.4, 0.2, 0.9, np.nan], np.float32)
    )
    read = landmarks.no_landmarks(4)
    read.known[:3] = known_points
    patches = Patches([*FACES, face(0.6, by_people=False)], IMAGES[[0, 1, 2, 0]], [])
    second = np.array([0.1, 0.6, 0.5, 0.3], np.float32)
    known = compact_batches.make_targets(patches, read, network.preset("compact"), 0, second)
    without = compact_batches.make_targets(patches, read, network.preset("compact"), 0)
    assert known.openness[0] == pytest.approx(without.openness[0])  # people's
    assert known.openness[[1, 3]].tolist() == pytest.approx([(0.2 + 0.6) / 2, 0.3])
    assert known.trust[2] == 0
    assert np.isnan(known.taught[2])


def test_batches_say_what_is_known_of_each_crop():
    read = landmarks.no_landmarks(3)
    read.known[:] = True
    read.points[:, : len(lip_points.OUTER_LIPS), 0] = np.linspace(20, 80, len(lip_points.OUTER_LIPS))
    trust, taught = np.array([1, 0.3, 0], np.float32), np.array([np.nan, 0.2, np.nan], np.float32)
    value = np.array([0.8, 0.2, 0], np.float32)
    known = compact_batches.Targets(Patches(FACES, IMAGES, []), read, value, trust, taught)
    made = compact_batches.Batches(known, compact_batches.Pool(known, 0, 12), 400, 0)
    crops, truth = made.make(0, HARD)
    assert np.array_equal(made.make(0, HARD)[0], crops)  # the same whichever thread makes it
    assert not np.array_equal(made.make(1, HARD)[0], crops)
    assert (crops.shape, crops.dtype, truth.shape) == ((400, 60, 60, 3), np.float32, (400, compact.OUTPUTS + 5))
    openness, reliability, by_teacher, points, no_mouth = truth[:, compact.OUTPUTS :].T
    value = truth[:, compact.OPENNESS]
    assert np.isclose(openness[:, None], [0.0, 0.12, 0.3, 0.4, 1.0]).any(axis=1).all()
    assert openness[no_mouth == 1].max() == points[no_mouth == 1].max() == 0
    assert reliability[no_mouth == 1].min() == 1
    assert 0.1 < no_mouth.mean() < 0.6
    assert np.isclose(value[openness == 1], 0.8).all()
    assert by_teacher.sum() > 10
    assert np.isclose(truth[by_teacher == 1, compact.TAUGHT], 0.2).all()
    places = truth[points == 1, compact.FIRST_POINT : compact.FIRST_GAP].reshape(-1, lip_points.POINTS, 2)
    width = places[:, len(lip_points.OUTER_LIPS) - 1, 0] - places[:, 0, 0]
    assert {*np.sign(width)} == {-1, 1}  # some are mirrored
    often = compact_batches.frequencies(FACES)
    assert often.sum() == pytest.approx(1)
    assert often[0] > often[2] > often[1]


def test_the_second_phase_shows_good_pictures_and_asks_less_beside_the_value():
    pictures = np.random.default_rng(1).integers(0, 256, (3, 24, 24, 3), np.uint8)
    images = np.stack([cv2.resize(p, (96, 96), interpolation=cv2.INTER_CUBIC).astype(np.uint8) for p in pictures])
    read = landmarks.no_landmarks(3)
    read.known[:] = True
    ones, value = np.ones(3, np.float32), np.array([0.1, 0.2, 0.3], np.float32)
    known = compact_batches.Targets(Patches(FACES, images, []), read, value, ones, ones)
    pool = compact_batches.Pool(known, 0, 2)

    def alike(phase: network.Phase) -> list[float]:
        crops, truth = compact_batches.Batches(known, pool, 100, 0).make(0, phase)
        weights = truth[:, compact.OUTPUTS :]
        assert set(np.unique(weights[:, 2:4]).tolist()) == {0, phase.auxiliary}
        assert weights[:, 0].max() == 1
        seen = weights[:, 4] == 0
        which = np.abs(truth[seen, compact.OPENNESS][:, None] - value).argmin(axis=1)
        plain = augment.plain(images)[which].astype(np.float32) / 255
        pairs = zip(crops[seen], plain, strict=True)
        return [max(np.corrcoef(c.ravel(), p[:, ::d].ravel())[0, 1] for d in (1, -1)) for c, p in pairs]

    assert np.median(alike(GOOD)) > np.median(alike(HARD)) + 0.1


def test_the_learning_rate_rises_and_falls_in_each_phase():
    phases = network.Phase(2, 2e-3), network.Phase(1, 1e-3)
    steps = compact_training.STEPS
    rates = [compact_training.learning_rate(step, phases) for step in range(3 * steps)]
    first, second = rates[: 2 * steps], rates[2 * steps :]
    for part, highest, rise in ((first, 2e-3, steps // 2), (second, 1e-3, steps // 4)):
        assert max(part) == pytest.approx(highest)
        assert part.index(max(part)) == pytest.approx(rise, abs=1)
        assert part[0] < highest / 10
        assert part[-1] == pytest.approx(highest / 100, rel=0.1)


def open_mouth() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A grey face with a black mouth, 30 pixels wide and 12 high, and its points."""
    points = np.zeros((lip_points.POINTS, 2), np.float32)
    for lips, half in ((lip_points.OUTER_LIPS, (18, 10)), (lip_points.INNER_LIPS, (15, 6))):
        first = 0 if lips is lip_points.OUTER_LIPS else len(lip_points.OUTER_LIPS)
        lower, upper = np.linspace(np.pi, 0, 11), np.linspace(np.pi, 0, 11)[1:-1]
        x, y = np.cos([*lower, *upper]), np.sin([*lower, *-upper])
        points[first : first + 20] = np.stack([48 + half[0] * x, 60 + half[1] * y], axis=1)
    patch = np.full((96, 96, 3), 150, np.uint8)
    cv2.ellipse(patch, (48, 60), (15, 6), 0, 0, 360, (0, 0, 0), -1)
    return patch, points


def test_a_tongue_lies_in_the_mouth_and_below_not_on_the_upper_lip():
    patch, points = open_mouth()
    rng = np.random.default_rng(0)
    out = [tongues.put_out(patch, points, rng) for _ in range(20)]
    for picture in out:
        drawn = np.abs(picture.astype(int) - patch).max(axis=2) > 30
        assert drawn[:52].sum() == 0
        assert drawn[52:].sum() > 40
        assert np.ptp(picture.astype(int), axis=2).max() == 0  # a grey picture has a grey tongue
    assert len({picture.tobytes() for picture in out}) == 20


def test_only_open_mouths_put_their_tongue_out(monkeypatch):
    read = landmarks.no_landmarks(3)
    read.known[:2] = True
    ones, value = np.ones(3, np.float32), np.array([0.8, 0.2, 0.9], np.float32)
    known = compact_batches.Targets(Patches(FACES, IMAGES, []), read, value, ones, ones)
    seen: list[bytes] = []
    monkeypatch.setattr(compact_batches.tongues, "put_out", lambda patch, *_: seen.append(patch.tobytes()) or patch)
    compact_batches.Pool(known, 0, 40)
    assert set(seen) == {IMAGES[0].tobytes()}
    assert len(seen) < 20  # some variations only


# --- the network


@pytest.mark.train
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.slow
def test_the_loss_counts_what_is_known_and_wrong_labels_do_not_rule():
    truth = np.zeros((3, compact.OUTPUTS + compact.LOSS_WEIGHTS), np.float32)
    truth[:2, compact.OUTPUTS + compact.OPENNESS] = 1
    answer = np.full((3, compact.OUTPUTS), 0.5, np.float32)
    answer[:2, compact.OPENNESS] = 0.1, 1.0
    costs = np.array(compact.loss(truth, answer))
    assert costs[0] == pytest.approx(0.1**2, rel=0.1)
    assert 0.1 < costs[1] < 0.8
    assert costs[2] == 0
    truth[2, compact.OUTPUTS + 4] = truth[2, compact.OUTPUTS + compact.RELIABILITY] = 1
    sure, unsure = answer[2:].copy(), answer[2:].copy()
    sure[0, compact.RELIABILITY], unsure[0, compact.RELIABILITY] = 0.9, 0.1
    assert float(compact.loss(truth[2:], sure)[0]) > 3 * float(compact.loss(truth[2:], unsure)[0])
    truth[:] = 0
    truth[:, compact.OUTPUTS + 3] = 1
    near, far, wrong_shape = np.zeros((3, compact.OUTPUTS), np.float32)
    far[compact.FIRST_POINT] = 0.5
    wrong_shape[compact.FIRST_CELL :] = 3  # mouth everywhere, where there is none
    costs = np.array(compact.loss(truth, np.stack([near, far, wrong_shape])))
    assert costs[0] < min(costs[1], costs[2] / 2)


def test_the_compact_preset_is_the_default():
    assert network.DEFAULT_PRESET == "compact"
    assert set(network.PRESETS) == {"compact", "reference"}


# --- the shipped weights


def test_the_shipped_network_trusts_a_face_and_not_what_is_none(demo):
    image, found = demo
    crops = crop_faces(image, [found])
    noise = np.random.default_rng(0).integers(0, 256, crops.shape, np.uint8)
    covered = crops.copy()
    covered[:, 18:58] = crops[:, 2:6].mean(axis=(1, 2), keepdims=True).astype(np.uint8)
    read = load_openness_model().read(np.concatenate([crops, noise, covered]))
    assert read.reliability.dtype == np.float32
    assert read.reliability[0] > 0.5
    assert read.reliability[1:].max() < 0.3
    assert np.isnan(load_openness_model("openness_reference").read(crops).reliability).all()


def test_what_is_unsure_is_read_a_second_time_mirrored_the_rest_once(demo):
    image, found = demo
    crop = crop_faces(image, [found])[0]
    dark = crop.copy()
    dark[:, :30] = 0  # half of the mouth in deep shadow
    crops = np.stack([crop, dark])
    once = openness.litert_backend(load_weights(openness.DEFAULT_WEIGHTS, "openness"))
    sure, unsure = once(crops)
    mirrored = once(np.ascontiguousarray(crops[1:, :, ::-1]))[0]
    assert sure[1] >= openness.UNSURE > unsure[1]
    assert abs(mirrored[0] - unsure[0]) > 1e-3
    read = load_openness_model().read(crops)
    values = np.stack([read.openness, read.reliability], axis=1)
    assert values == pytest.approx(np.stack([sure, (unsure + mirrored) / 2]))

    asked = []

    def counting(crops):
        asked.append(len(crops))
        return once(crops)

    openness.twice_if_unsure(counting)(crops)
    assert asked == [2, 1]

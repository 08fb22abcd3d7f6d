"""mouth-live evaluate, its figures: errors and intervals, conditions, reliability, comparisons."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from readings import reading, some_readings
from scipy import stats

from mouth_live.models import DataError, Face
from mouth_live.models.training.evaluation import conditions, result, statistics
from mouth_live.models.training.evaluation.compare import versus_landmarker, versus_rows
from mouth_live.models.training.evaluation.statistics import Sample, estimate
from mouth_live.models.training.lip_points import MESH, gap_ratio

# --- figures


def test_figures_are_those_of_an_independent_reference():
    rng = np.random.default_rng(1)
    truth, read = rng.integers(0, 6, 80) / 5, rng.integers(0, 8, 80) / 7  # with ties
    weights = rng.integers(0, 3, (4, 80)).astype(float)
    for row, w in enumerate(weights):
        t, r = np.repeat(truth, w.astype(int)), np.repeat(read, w.astype(int))
        expected = {
            statistics.mean_squared_error: np.mean((r - t) ** 2),
            statistics.mean_absolute_error: np.mean(np.abs(r - t)),
            statistics.bias: np.mean(r - t),
            statistics.ratio: t.var() / np.mean((r - t) ** 2),
            statistics.pearson: stats.pearsonr(t, r).statistic,
            statistics.spearman: stats.spearmanr(t, r).statistic,
            statistics.auc: stats.mannwhitneyu(r[t > 0], r[t == 0]).statistic / (t > 0).sum() / (t == 0).sum(),
        }
        for figure, value in expected.items():
            assert figure(truth, read, weights)[row] == pytest.approx(value), figure.__name__


def test_open_begins_at_a_gap_ratio_of_0_035():
    assert pytest.approx(0.005 / 0.09 / 2) == statistics.OPEN_FROM
    read, weights = np.array([0.1, 0.9]), np.ones((1, 2))
    assert statistics.auc(np.array([0.027, 0.028]), read, weights)[0] == 1
    assert math.isnan(statistics.auc(np.array([0.0, 0.027]), read, weights)[0])


def test_the_interval_is_the_bootstraps_and_holds_people_together():
    rng = np.random.default_rng(2)
    error = rng.normal(0, 0.2, 400)
    alone = Sample(np.zeros(400), error, np.arange(400))
    figure = estimate(statistics.mean_absolute_error, alone)
    half_width = 1.96 * np.abs(error).std() / 20
    assert figure.value == pytest.approx(np.abs(error).mean())
    assert (figure.high - figure.low) / 2 == pytest.approx(half_width, rel=0.1)
    # Every person four times over tells nothing new.
    fourfold = Sample(np.zeros(1600), np.repeat(error, 4), np.repeat(np.arange(400), 4))
    again = estimate(statistics.mean_absolute_error, fourfold)
    assert (again.low, again.high) == (pytest.approx(figure.low), pytest.approx(figure.high))


def test_one_person_has_no_interval_and_no_face_no_figure():
    one = estimate(statistics.bias, Sample(np.zeros(5), np.full(5, 0.1), np.zeros(5, int)))
    assert one.value == pytest.approx(0.1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert math.isnan(estimate(statistics.bias, Sample(np.zeros(0), np.zeros(0), np.zeros(0, int))).value)


def test_a_missed_face_counts_as_the_mean_and_is_counted():
    rows = [reading(t, t, f"{i}", group=f"{i}") for i, t in enumerate((0.0, 0.5, 1.0))]
    rows.append(reading(1.0, math.nan, "lost", group="lost", turn=math.nan))
    overall, by = result.summarise(rows)
    assert (overall.faces, overall.missed, overall.people) == (4, 1, 4)
    assert overall.mse.value == pytest.approx((1 - 0.625) ** 2 / 4)
    assert [(m.name, m.faces, m.missed) for m in by["truth"]] == [
        ("closed, below 0.05", 1, 0),
        ("half, 0.4 to 0.7", 1, 0),
        ("wide, from 0.7", 2, 1),
    ]
    assert [m.faces for m in by["turn"]] == [3]  # how far a face that was not found is turned is not known


# --- conditions


@pytest.mark.parametrize("degrees", [-60, -30, -10, 0, 20, 45])
@pytest.mark.parametrize("roll", [0, 40])
def test_head_turn_of_a_turned_head(degrees, roll):
    turn, tilt = math.radians(degrees), math.radians(roll)
    points = np.array(
        [(-0.5, 0, 0), (0.5, 0, 0), (0, 0.5, conditions.NOSE_DEPTH), (0, 1, 0.3), (-1, 0, -1), (1, 0, -1)]
    )
    across = points[:, 0] * math.cos(turn) + points[:, 2] * math.sin(turn)
    flat = np.stack([across, points[:, 1]], axis=1)
    rolled = flat @ np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
    face = Face((0, 0, 1, 1), (100 + 40 * rolled).astype(np.float32), 0.9)
    assert conditions.yaw(face) == pytest.approx(abs(degrees), abs=0.01)


def test_size_sharpness_and_brightness():
    assert conditions.face_size(Face((5, 5, 40, 90), np.zeros((6, 2), np.float32), 0.9)) == pytest.approx(60)
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (9, 9), 2)
    assert conditions.sharpness(noise) > 20 * conditions.sharpness(blurred)
    assert conditions.brightness(np.full((60, 60, 3), 77, np.uint8)) == pytest.approx(77)


# --- reliability


def test_leaving_out_what_is_unreliable_lowers_the_error():
    rng = np.random.default_rng(0)
    errors = rng.exponential(0.1, 400)
    rows = [
        reading(0.5, 0.5 + e, str(i), group=str(i), reliability=float(np.exp(-5 * e))) for i, e in enumerate(errors)
    ]
    rows.append(reading(0.5, math.nan, "lost"))
    judged = result.judge_reliability(rows, np.full(20, 1e-3), np.full(5, 2.0))
    kept = np.sort(errors**2)
    assert judged.dropped[:2] == (0.0, 0.1)
    assert judged.mse[1].value == pytest.approx(kept[:360].mean()) == pytest.approx(judged.best[1])
    assert judged.mse[1].low < judged.mse[1].value < judged.mse[1].high < judged.mse[0].value
    assert (judged.auc, judged.hidden_auc) == (1, 0)
    assert len(judged.seen) == 400
    shuffled = [replace(r, reliability=float(v)) for r, v in zip(rows[:400], rng.random(400), strict=True)]
    assert result.judge_reliability(shuffled, np.zeros(0), np.zeros(0)).mse[1].value == pytest.approx(
        kept.mean(), rel=0.2
    )
    assert result.judge_reliability([reading(), reading()], np.zeros(0), np.zeros(0)) is None


# --- comparisons


def test_the_better_reading_wins_with_its_interval():
    rows, others = some_readings(error=0.05), some_readings(error=0.1, seed=0)
    compared = versus_rows(rows, others, "other")
    pair = compared.overall
    assert (pair.faces, compared.other) == (200, "other")
    assert pair.error_ratio.low > 2
    assert pair.difference.high < 0
    assert pair.difference.value == pytest.approx(pair.mse[0].value - pair.mse[1].value)
    assert pair.ratio[0].value == pytest.approx(result.summarise(rows)[0].ratio.value)
    geometric = math.sqrt(np.prod([p.error_ratio.value for p in compared.by["source"]]))
    assert compared.geometric.value == pytest.approx(geometric)
    same = versus_rows(rows, rows, "itself").overall
    assert (same.difference.value, same.difference.low, same.error_ratio.high) == (0, 0, 1)


def test_only_faces_in_common_with_the_same_truth_are_compared():
    rows = some_readings(20)
    assert versus_rows(rows, rows[5:], "part").overall.faces == 15
    with pytest.raises(DataError, match="no face in common"):
        versus_rows(rows, [reading(file="stranger")], "other")
    with pytest.raises(DataError, match=r"0\.jpg: its label is"):
        versus_rows(rows, [replace(rows[0], truth=0.123)], "other")


def test_the_landmarker_is_compared_on_peoples_labels_and_a_face_it_missed_counts_as_the_mean():
    rows = [reading(t, t, str(i), group=str(i), landmarker=t) for i, t in enumerate((0.0, 0.2, 0.4, 1.0))]
    rows[3] = replace(rows[3], landmarker=math.nan)
    rows.append(reading(0.9, 0.1, "model", by_people=False, landmarker=0.9))
    compared = versus_landmarker(rows)
    assert (compared.overall.faces, compared.overall.missed) == (4, (0, 1))
    assert compared.overall.mse[1].value == pytest.approx((1 - 0.4) ** 2 / 4)
    assert versus_landmarker([replace(row, landmarker=math.nan) for row in rows]) is None


def test_the_gap_ratio_of_a_mesh():
    mesh = np.zeros((478, 2))
    for corner, x in zip((33, 133, 362, 263), (10, 30, 70, 90), strict=True):
        mesh[corner] = (x, 40)
    for upper, lower, gap in ((13, 14, 9), (82, 87, 6), (312, 317, 6)):
        mesh[upper], mesh[lower] = (50, 80), (50, 80 + gap)
    assert gap_ratio(mesh[None, list(MESH)]) == pytest.approx(7 / 60)

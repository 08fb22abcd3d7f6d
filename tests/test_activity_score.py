"""Tests of the column ``activity``: the quantity of the event engine, on a scale on which 0.5 is the default limit."""

import json

import numpy as np
import pytest

from mouth_live.realtime import Limits, LipActivity, Pipeline, analyze, read_table
from mouth_live.realtime.lips.gates import Gates
from mouth_live.realtime.lips.limits import ACTIVITY, activity_score

OFF = activity_score(ACTIVITY.off)


def active_by_hand(table, on, off, min_off=ACTIVITY.min_off):
    """When the lips of one face are active, by the documented rule, from the column ``activity`` alone."""
    is_on, since, active = False, None, []
    for row in table:
        past = row.activity < off if is_on else row.activity >= on
        since = (row.timestamp if since is None else since) if past else None
        if since is not None and row.timestamp - since >= (min_off if is_on else 0):
            is_on, since = not is_on, None
        active.append(is_on)
    return active


@pytest.fixture(scope="module")
def analyses(demo_clip):
    return list(analyze(demo_clip))


def test_the_limits_on_the_score_are_those_of_the_events(mouth_live, demo_clip, tmp_path):
    assert mouth_live("process", demo_clip).returncode == 0
    table = read_table(tmp_path / "demo.csv")
    assert 0 == table.activity.min() < 0.5 < table.activity.max() < 1
    assert table.active.any()
    assert active_by_hand(table, 0.5, OFF) == list(table.active)


def test_other_limits_change_active_but_not_activity(demo_clip, analyses):
    wide = Pipeline(lips=LipActivity({"activity": Limits(on=0.6, off=0.03, min_on=0.0, min_off=0.2)}))
    usual = [r for a in analyses for r in a.readings]
    other = [r for a in analyze(demo_clip, wide) for r in a.readings]
    assert [r.activity for r in other] == [r.activity for r in usual]
    assert sum(r.active for r in other) < sum(r.active for r in usual)


def test_it_rises_with_the_movement(analyses):
    readings = sorted((r for a in analyses for r in a.readings), key=lambda r: r.movement)
    scores = [round(r.activity, 9) for r in readings]
    assert scores == sorted(scores)
    np.testing.assert_allclose([r.activity for r in readings], [r.movement / (r.movement + 0.2) for r in readings])


def test_a_face_that_events_ignore_has_none(short_clip):
    readings = [r for a in analyze(short_clip, Pipeline(gates=Gates(min_score=1.1))) for r in a.readings]
    assert readings
    assert np.isnan([r.activity for r in readings]).all()


def test_events_with_values_tell_the_activity(mouth_live, demo_clip, analyses):
    done = mouth_live("events", demo_clip, "--values")
    told = [line["activity"] for line in map(json.loads, done.stdout.splitlines()) if line["type"] == "value"]
    assert told == [round(r.activity, 4) for a in analyses for r in a.readings]

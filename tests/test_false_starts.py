"""Tests that a face which does not talk starts no activity, on the made scenes of benchmarks/false_starts.py."""

import pytest
from benchmarks import lip_activity
from silent_scenes import SCENES, frames

from mouth_live.realtime.lips.activity import LipActivity
from mouth_live.realtime.lips.movement import LipMovement

pytestmark = pytest.mark.slow


class AllMovement(LipMovement):
    """Counts movement in one direction fully."""

    def __init__(self):
        super().__init__(one_way=1.0)


def starts(samples, movement=LipMovement):
    return lip_activity.found(samples, 0, engine=lambda: LipActivity(movement=movement)).reported


@pytest.mark.parametrize("what", ["chewing, lips closed", "smiling", "yawning", "drinking"])
def test_a_face_that_does_not_talk_starts_nothing(what):
    samples = lip_activity.samples_of(frames(SCENES[what][0]))
    assert lip_activity.ids_of(samples) == [0]
    assert starts(samples) == []
    if what == "yawning":
        assert starts(samples, AllMovement)  # so the scene would show a fault

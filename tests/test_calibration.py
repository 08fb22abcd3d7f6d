"""Tests of a person's own range: measure, save and use it."""

import csv
import json
import stat
import sys

import numpy as np
import pytest
from held_clip import write_clip

from mouth_live.models import Face
from mouth_live.realtime import Analysis, Frame, Reading
from mouth_live.realtime.commands.calibrator import Calibrator
from mouth_live.realtime.lips.calibration import Calibration, CalibrationPhase
from mouth_live.realtime.lips.limits import Limits
from mouth_live.realtime.lips.profiles import (
    Profile,
    ProfileError,
    is_measured,
    load_profile,
    profile_names,
    profile_path,
    save_limits,
    save_profile,
)

NAN = float("nan")
POINTS = np.array([[-20, 0], [20, 0], [0, 20], [0, 40], [-40, 5], [40, 5]], np.float32)


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    monkeypatch.setenv("MOUTH_LIVE_CONFIG", str(folder))
    return folder


def reading(raw, score=0.9):
    return Reading(0, Face((0, 0, 80, 80), POINTS, score), raw, raw, False, NAN)


def calibrate(value, rate=25, seconds=5.0):
    calibration = Calibration("anna", "weights", seconds)
    for i in range(int(2 * seconds * rate)):
        calibration.take(value(i / rate), i / rate)
    return calibration


def test_the_range_is_the_median_of_each_phase():
    # A slow reaction and one outlier in each phase.
    def value(time):
        return reading(0.9 if time in (3.0, 8.0) else 0.62 if time > 6 else 0.08)

    profile = calibrate(value).profile()
    assert profile == Profile("anna", 0.08, 0.62, "weights")
    assert [profile.fit(v) for v in (0.0, 0.08, 0.35, 0.62, 1.0)] == pytest.approx([0, 0, 0.5, 1, 1])


def test_the_prompt_gives_the_instruction_and_the_seconds_left():
    calibration = Calibration("anna", "weights")
    phases = [(calibration.take(reading(0.1), t), calibration.prompt(t)) for t in (7.0, 9.0, 12.5, 17.0)]
    assert [phase for phase, _ in phases] == [
        CalibrationPhase.CLOSED,
        CalibrationPhase.CLOSED,
        CalibrationPhase.WIDE,
        CalibrationPhase.DONE,
    ]
    assert [prompt for _, prompt in phases[:3]] == [
        "keep your mouth closed: 5 s",
        "keep your mouth closed: 3 s",
        "open your mouth wide: 4 s",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda t: None if t < 5 else reading(0.9), "0 % of 'keep your mouth closed'"),
        (lambda t: reading(0.1) if t < 7.5 else None, "'open your mouth wide'"),
        (lambda t: reading(0.1 if t < 5 else 0.9, score=0.2), "face was read well in 0 %"),
        (lambda t: reading(0.3 if t < 5 else 0.33), "too close"),
        (lambda t: reading(0.8 if t < 5 else 0.1), "too close"),
        (lambda t: reading(abs(np.sin(t))), "moved"),
    ],
    ids=["absent", "leaves", "unsure", "small", "swapped", "talking"],
)
def test_a_measurement_without_a_range_is_refused_with_the_reason(value, message):
    with pytest.raises(ProfileError, match=message):
        calibrate(value).profile()


def test_a_profile_is_saved_whole_and_private(config):
    profile = Profile("Anna Müller", 0.05, 0.7, "weights")
    path = save_profile(profile)
    assert path.parent == config / "profiles"
    assert load_profile("Anna Müller") == profile
    assert profile_names() == ["Anna Müller"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["Anna Müller.json"]


def test_measuring_again_keeps_the_limits_and_limits_alone_are_no_range(config):
    limits = {"open": Limits(0.8, 0.6, 0.1, 0.1), "activity": Limits(0.3, 0.1, 0.0, 0.2)}
    save_limits("anna", limits, 2.5, None)
    assert load_profile("anna") == Profile("anna", 0.0, 1.0, "", limits, 2.5)
    calibrator = Calibrator("anna", "weights", seconds=1.0)  # what was there before is kept, but not limits alone
    calibrator.begin()
    for time in np.arange(0, 2.5, 0.05):
        now = reading(0.05 if time < 1 else 0.75)
        calibrator.write(Analysis(Frame(0, float(time), np.zeros((8, 8, 3), np.uint8)), (now,), ()))
    assert calibrator.notice == "profile 'anna' saved"
    assert load_profile("anna") == Profile("anna", 0.05, 0.75, "weights", limits, 2.5)
    assert is_measured("anna")
    with pytest.raises(ProfileError, match="another range than is used now; start with --profile anna"):
        save_limits("anna", limits, 2.5, None)
    save_limits("anna", {}, 1.0, load_profile("anna"))
    assert load_profile("anna") == Profile("anna", 0.05, 0.75, "weights", {}, 1.0)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65, "nul\0", "dot."])
def test_a_name_that_cannot_be_a_file_name_is_refused(name):
    with pytest.raises(ProfileError, match="expected a name"):
        profile_path(name)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"closed": "a", "wide": 1}',
        '{"closed": 0.5, "wide": 0.4}',
        '{"closed": NaN, "wide": 1}',
        '{"closed": 0, "wide": 1, "limits": {"wink": {}}}',
        '{"closed": 0, "wide": 1, "limits": {"open": {"on": 1}}}',
        '{"closed": 0, "wide": 1, "limits": 3}',
        '{"closed": 0, "wide": 1, "smooth": "x"}',
        '{"closed": 0, "wide": 1, "smooth": 0}',
    ],
)
def test_a_damaged_profile_is_an_error_that_names_its_file(content):
    path = profile_path("anna")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(ProfileError, match=r"anna\.json.*calibrate"):
        load_profile("anna")


def test_a_missing_profile_is_an_error_that_names_the_others():
    save_profile(Profile("bert", 0, 1))
    with pytest.raises(ProfileError, match=r"'anna'.*bert.*calibrate --profile anna"):
        load_profile("anna")


@pytest.mark.slow
def test_calibrate_from_a_file_then_process_with_the_profile(mouth_live, tmp_path, config):
    clip = write_clip(tmp_path / "range.mp4", 0.0, 0.7)
    done = mouth_live("calibrate", "--camera", clip, "--no-window", "--seconds", "1.1", "--profile", "anna")
    assert done.returncode == 0, done.stderr
    assert "keep your mouth closed" in done.stderr
    assert "open your mouth wide" in done.stderr
    kept = json.loads((config / "profiles" / "anna.json").read_text())
    assert 0 <= kept["closed"] < 0.2 < 0.5 < kept["wide"] < 1

    plain = rows_of(mouth_live("process", clip, "-o", "-"))
    fitted = rows_of(mouth_live("process", clip, "-o", "-", "--profile", "anna"))
    assert [r["openness_raw"] for r in fitted] == [r["openness_raw"] for r in plain]
    assert float(fitted[-1]["openness"]) > 0.95 > float(plain[-1]["openness"])
    assert float(fitted[5]["openness"]) < 0.05


def rows_of(done):
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(done.stdout.splitlines()))


@pytest.mark.slow
def test_a_failed_calibration_is_one_line_and_saves_nothing(mouth_live, tmp_path, config):
    clip = write_clip(tmp_path / "same.mp4", 0.0, 0.0)
    done = mouth_live("calibrate", "--camera", clip, "--no-window", "--seconds", "1")
    assert done.returncode == 1
    assert "too close" in done.stderr.splitlines()[-1]
    done = mouth_live("calibrate", "--camera", clip, "--no-window")
    assert (done.returncode, "ended before the 10 s" in done.stderr) == (1, True)
    assert not (config / "profiles").exists()


def test_a_profile_of_other_weights_is_a_warning(mouth_live, short_clip):
    save_profile(Profile("anna", 0.1, 0.9, "other"))
    done = mouth_live("process", short_clip, "-o", "-", "--profile", "anna")
    assert done.returncode == 0
    assert "calibrate again" in done.stderr


@pytest.mark.parametrize("command", [["process", "short.mp4"], ["--no-window"], ["events", "short.mp4"]])
def test_an_unknown_profile_is_one_line_and_exit_code_1(mouth_live, short_clip, tmp_path, command):
    (tmp_path / "short.mp4").write_bytes(short_clip.read_bytes())
    done = mouth_live(*command, "--profile", "nobody")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "calibrate --profile nobody" in done.stderr

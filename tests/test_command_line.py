"""The doors of the command line: no dead end, values checked where they are given, and one line for each error."""

import csv
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from conftest import COMMAND
from held_clip import write_clip
from test_cli import one_line

from mouth_live.realtime.commands.cli import cli


@pytest.fixture
def cut_off(cut_short):
    """A recording that ends before anyone's lips move."""
    return cut_short(1 / 6)


# --- what was meant


@pytest.mark.parametrize(("words", "says"), [
    (["talk.mp4"], ["mouth-live process talk.mp4", "mouth-live --camera talk.mp4"]),
    (["my talk.MOV"], ["mouth-live process 'my talk.MOV'", "mouth-live --camera 'my talk.MOV'"]),
    (["clips/a"], ["mouth-live process clips/a", "mouth-live --camera clips/a"]),
    (["there"], ["mouth-live process there", "mouth-live --camera there"]),
    (["--mirror", "talk.mp4"], ["mouth-live --camera talk.mp4"]),
    (["https://host/a.mp4"], ["mouth-live --camera https://host/a.mp4"]),
    (["0"], ["mouth-live --camera 0"]),
    (["folder"], ["mouth-live process folder"]),
    (["proces", "talk.mp4"], ["did you mean process?"]),
    (["Calibrate"], ["did you mean calibrate?"]),
    (["xyz"], ["commands: calibrate, completion"]),
])  # fmt: skip
def test_a_name_that_is_no_command_says_what_to_write(mouth_live, tmp_path, words, says):
    (tmp_path / "there").touch()
    (tmp_path / "folder").mkdir()
    done = mouth_live(*words)
    line = one_line(done)
    assert done.returncode == 2
    assert [part for part in says if part not in line] == []


def test_an_address_is_not_offered_to_process(mouth_live):
    assert "mouth-live process" not in one_line(mouth_live("https://host/a.mp4"))


@pytest.mark.parametrize("name", [None, *sorted(cli.commands)])
def test_every_help_has_an_example_by_task(mouth_live, name):
    done = mouth_live(*([name] if name else []), "--help")
    start = f"mouth-live {name}" if name else "mouth-live --camera"
    assert re.search(rf"^  +{start} .*\S$", done.stdout.split("Options:")[0], re.M), done.stdout


def test_the_help_lists_each_command_by_task_in_a_whole_line(mouth_live):
    text = mouth_live("--help").stdout.split("Live video:")[1]
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    assert sorted(line.split()[0] for line in lines) == sorted(cli.commands)
    assert [line for line in lines if line.endswith("...")] == []
    assert text.count("\n\nMore:\n") <= 1
    assert all(len(line) <= 80 for line in lines)


# --- values


@pytest.mark.parametrize(("words", "says"), [
    (["process", "short.mp4", "--on", "2"], "--on 2: the level of open never gets above 1"),
    (["process", "short.mp4", "--on", "-1"], "'--on': -1.0 is not in the range x>0"),
    (["process", "short.mp4", "--on", "0"], "'--on': 0.0 is not in the range x>0"),
    (["--camera", "0", "--size", "²x²"], "'--size': expected WIDTHxHEIGHT"),
    (["events", "short.mp4", "--kind", "activity", "--on", "7"], "never gets above 6.4"),
    (["events", "short.mp4", "--off", "0"], "'--off': 0.0 is not in the range x>0"),
    (["events", "short.mp4", "--off", "0.7"], "--off 0.7: above the level from which open starts, --on 0.5"),
    (["process", "short.mp4", "--min-on", "-1"], "'--min-on': -1.0"),
    (["process", "short.mp4", "--on", "nan"], "'--on': expected a finite number, got 'nan'"),
    (["process", "short.mp4", "--min-on", "inf"], "'--min-on': expected a finite number, got 'inf'"),
    (["process", "short.mp4", "--min-score", "nan"], "'--min-score': expected a finite number"),
    (["demo", "--pad", "nan"], "'--pad': expected a finite number"),
    (["--fps", "nan"], "'--fps': expected a finite number"),
    (["doctor", "--seconds", "nan"], "'--seconds': expected a finite number"),
    (["calibrate", "--seconds", "nan"], "'--seconds': expected a finite number"),
    (["process", "short.mp4", "--model", "nope"], "--model nope: expected openness_compact, openness_reference or"),
    (["evaluate", "nope", "--data", "."], "MODEL nope: expected openness_compact"),
    (["evaluate", "openness_compact", "--data", ".", "--compare", "nope"], "--compare nope: expected openness_compact"),
    (["train", "--from", "nope", "--data", "."], "--from nope: expected openness_compact"),
    (["train", "--preset", "nope", "--data", "."], "'nope' is not one of 'compact', 'reference', 'face-check'"),
])  # fmt: skip
def test_a_wrong_value_is_one_line_and_2(mouth_live, short_clip, tmp_path, words, says):
    (tmp_path / "short.mp4").symlink_to(short_clip)
    done = mouth_live(*words)
    assert done.returncode == 2
    assert says in one_line(done)
    assert "--help" in one_line(done)
    assert [path.name for path in tmp_path.iterdir()] == ["short.mp4"]


def test_a_low_level_has_a_stop_that_can_be_reached(mouth_live, tmp_path):
    clip = write_clip(tmp_path / "lips.mp4", 0.0, 0.9, 0.0)
    done = mouth_live("events", clip, "--kind", "open", "--on", "0.1", "--format", "csv")
    (row,) = csv.DictReader(done.stdout.splitlines())
    until = float(row["end"])
    (last,) = csv.DictReader(mouth_live("events", clip, "--kind", "open", "--format", "csv").stdout.splitlines())
    assert until < float(last["end"]) + 0.4  # before the end of the clip


def test_the_presets_of_train_are_those_that_exist():
    from mouth_live.models.training.network import FACE_CHECK, PRESETS

    (option,) = [parameter for parameter in cli.commands["train"].params if parameter.name == "preset"]
    assert set(option.type.choices) == {*PRESETS, FACE_CHECK.name}


@pytest.mark.parametrize("command", [["events"], ["--no-window", "--camera"]])
def test_a_face_that_never_appears_is_reported_at_the_end(mouth_live, short_clip, command):
    done = mouth_live(*command, short_clip, "--face", "99")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines()[-1] == "mouth-live: warning: face 99 never appeared; only face 0 did"
    assert "never" not in mouth_live(*command, short_clip, "--face", "0").stderr


# --- the input before the display


@pytest.mark.parametrize(("words", "says"), [
    (["--camera", "nofile.mp4"], "nofile.mp4: no such file"),
    (["--camera", "text.mp4"], "text.mp4: "),
    (["calibrate", "--camera", "nofile.mp4"], "nofile.mp4: no such file"),
    (["label", "nofile.mp4"], "nofile.mp4: no such file"),
    (["label", "text.mp4"], "text.mp4: "),
    (["label", "https://host/a.mp4"], "https://host/a.mp4: an address"),
])  # fmt: skip
def test_a_bad_input_is_reported_before_a_missing_display(mouth_live, tmp_path, words, says):
    (tmp_path / "text.mp4").write_text("no video")
    done = mouth_live(*words)
    assert done.returncode == 1
    assert one_line(done).startswith(f"mouth-live: error: {says}")
    assert "display" not in done.stderr


def test_without_a_camera_the_error_says_what_to_try(mouth_live):
    if os.path.exists("/dev/video0"):  # noqa: PTH110
        pytest.skip("this machine has a camera")
    for words in ([], ["--no-window"]):
        line = one_line(mouth_live(*words))
        assert line.startswith("mouth-live: error: no camera 0; ")
        assert "/dev/video" in line or not sys.platform.startswith("linux")  # what was looked for
        assert "mouth-live demo" in line
        assert "mouth-live --camera talk.mp4" in line


# --- what is said


def test_live_says_what_it_opened_and_events_do_not(mouth_live, short_clip):
    done = mouth_live("--camera", short_clip, "--no-window", "--csv", "-")
    assert re.fullmatch(r"mouth-live: .*short\.mp4: \d+x\d+ at [\d.]+ frames/s\n", done.stderr)
    assert done.stdout.startswith("frame,")
    done = mouth_live("events", "--camera", short_clip)
    assert "frames/s" not in done.stdout + done.stderr


@pytest.mark.display
def test_the_keys_are_named_where_there_is_a_window(mouth_live, short_clip, screen):
    done = mouth_live("--camera", short_clip, env=os.environ | {"DISPLAY": screen})
    line = done.stderr.splitlines()[1]
    assert line.startswith("mouth-live: keys in the window: space: pause, c: calibrate, s: ")
    assert line.endswith("q or Esc: end")


@pytest.mark.slow
def test_events_say_what_they_wrote(mouth_live, demo_clip, tmp_path):
    done = mouth_live("events", demo_clip, "-o", "talk.TextGrid")
    assert re.search(r"demo\.mp4: 200 frames, 1 face, \d+ intervals? -> talk\.TextGrid$", one_line(done))
    done = mouth_live("events", demo_clip, "-o", "talk.jsonl")
    count = len((tmp_path / "talk.jsonl").read_text().splitlines())
    assert f" {count} events -> talk.jsonl" in one_line(done)
    assert mouth_live("events", demo_clip).stderr == ""


@pytest.mark.parametrize("name", ["csv", "vtt", "json"])
def test_a_cut_off_recording_writes_no_lone_header(mouth_live, cut_off, name):
    done = mouth_live("events", cut_off, "--format", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cut off" in one_line(done)


def test_an_empty_result_has_its_header(mouth_live, short_clip):
    assert mouth_live("events", short_clip, "--format", "csv").stdout == "face_id,kind,start,end\n"


def test_a_name_with_control_characters_stays_in_its_line(mouth_live, short_clip, tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a\nb.mp4").symlink_to(short_clip)
    (tmp_path / "clips" / "c\x1b[31m\u2028.mp4").write_text("no video")
    plan = mouth_live("process", "clips", "-o", "out", "--dry-run")
    assert plan.stdout.split("\n")[0] == r"clips/a\nb.mp4 -> out/a\nb.csv"
    done = mouth_live("process", "clips", "-o", "out")
    assert done.returncode == 3
    assert "\x1b" not in done.stderr
    assert all(line.startswith("mouth-live: ") for line in done.stderr.splitlines())
    assert re.search(r"mouth-live: clips/a\\nb\.mp4: \d+ frames, 1 face -> out/a\\nb\.csv\n", done.stderr)
    assert r"clips/c\x1b[31m\u2028.mp4: a text file, not a video" in done.stderr
    assert (tmp_path / "out" / "a\nb.csv").exists()
    (tmp_path / "out" / "a\nb.csv").write_text("damaged")
    assert mouth_live("verify", "out", "--quick").stdout.startswith(r"out/a\nb.csv: ")


def test_doctor_names_an_output_once(mouth_live, short_clip):
    done = mouth_live("doctor", "--camera", short_clip, "--seconds", "1", "--to", "key:space")
    assert done.stdout.count("key:space") == 1


@pytest.mark.train
@pytest.mark.slow
def test_training_says_nothing_of_tensorflow(tmp_path):
    pytest.importorskip("tensorflow")
    code = "from mouth_live.models.training.extra_packages import keras, tensorflow; keras(); tensorflow()"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    quiet = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (quiet.stdout, quiet.stderr) == ("", "")


@pytest.mark.parametrize("option", ["--landmarks", "--keep", "--videos"])
def test_training_misses_its_inputs_before_it_loads_tensorflow(mouth_live, tmp_path, option):
    (tmp_path / "mine.csv").write_text("")
    done = mouth_live("train", "--from", "shipped", "--data", "mine.csv", option, "gone")
    assert (done.returncode, one_line(done)) == (
        1,
        f"mouth-live: error: gone: no such file or folder; check {option}",
    )


@pytest.mark.parametrize("size", [(0, 0), (24, 0), (0, 80), (24, 80)], ids=str)
def test_the_progress_bar_is_seen_on_a_terminal_of_any_size(demo_clip, tmp_path, size):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    command = [*COMMAND, "process", str(demo_clip)]
    with subprocess.Popen(command, stderr=theirs, cwd=tmp_path, env=environment):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    assert "█" in shown.decode(errors="ignore"), shown


@pytest.mark.parametrize(("hold", "delay"), [(0.1, 0.15), (0.3, 0.35), (0.5, 0.55)])
def test_hold_is_the_time_until_an_opening_counts(mouth_live, demo_clip, hold, delay):
    done = mouth_live("events", demo_clip, "--preset", "switch", "--hold", hold)
    first = json.loads(done.stdout.splitlines()[0])
    assert first["decided"] - first["timestamp"] == pytest.approx(delay, abs=0.05)


@pytest.mark.parametrize("options", [["--preset", "talk"], ["--kind", "activity"], ["--min-on", "1"]])
def test_hold_is_for_open_mouths_alone(mouth_live, demo_clip, options):
    done = mouth_live("events", demo_clip, "--hold", "1", *options)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)

"""``mouth-live events`` as other programs meet it: lines, limits, and a stop for each start whatever ends it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import COMMAND
from held_clip import write_clip

from mouth_live.models.errors import SourceError
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.event_run import write_events
from mouth_live.realtime.commands.recordings.products import ProductOptions, Target


def lines_of(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def unstopped(lines):
    """What was started and not stopped."""
    running = set()
    for line in lines:
        key = line["kind"], line["face_id"]
        if line["type"] == "start":
            assert key not in running
            running.add(key)
        else:
            running.remove(key)
    return running


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Closed for half a second, then held wide open for ten."""
    return write_clip(tmp_path_factory.mktemp("opened") / "opened.mp4", 0.0, 0.8, seconds=(0.5, 10))


def test_the_demos_events_are_the_contracts_json_lines(mouth_live, demo_clip):
    lines = lines_of(mouth_live("events", demo_clip))
    assert all({"type", "kind", "face_id", "timestamp"} <= set(line) for line in lines)
    assert unstopped(lines) == set()
    talk = [line for line in lines if line["kind"] == "activity"]
    # The demo closes its mouth at 2 s, talks until 4.6 s and yawns from 5.2 to 6.9 s.
    assert any(abs(line["timestamp"] - 2.3) < 0.3 for line in talk if line["type"] == "start")
    assert any(abs(line["timestamp"] - 4.6) < 0.3 for line in talk if line["type"] == "stop")
    start, stop = [line for line in lines if line["kind"] == "open" and line["decided"] > 5]
    assert start["timestamp"] == pytest.approx(5.4, abs=0.2)
    assert stop["timestamp"] == pytest.approx(6.7, abs=0.3)


@pytest.mark.slow
def test_values_limits_and_anyone(mouth_live, tmp_path):
    opened = write_clip(tmp_path / "opened.mp4", 0.0, 0.8, seconds=(0.5, 2.5))
    made = mouth_live("events", opened, "--values", "--face", "anyone", "--preset", "yawn")
    lines = lines_of(made)
    values = [line for line in lines if line["type"] == "value"]
    assert len(values) == 30
    assert {"face_id", "timestamp", "openness", "openness_raw", "activity"} <= set(values[0])
    start, stop = [line for line in lines if line["type"] != "value"]
    assert (start["preset"], start["face_id"], stop["face_id"]) == ("yawn", None, None)
    assert start["decided"] == pytest.approx(1.6, abs=0.2)
    # The same clip, with other limits.
    later = lines_of(mouth_live("events", opened, "--min-on", "2", "--kind", "open"))
    assert later[0]["decided"] == pytest.approx(2.6, abs=0.2)
    assert lines_of(mouth_live("events", opened, "--on", "0.99", "--kind", "open")) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--camera", "0"],
        ["--on", "0.3", "--off", "0.5"],
        ["--min-on", "-1"],
        ["--face", "biggest"],
        ["--preset", "shout"],
        ["--preset", "talk", "--kind", "open"],
        ["--format", "srt", "--values"],
        ["-o", "opened.mp4"],
    ],
)
def test_options_that_do_not_go_together_are_2(mouth_live, opened, tmp_path, options):
    (tmp_path / "opened.mp4").write_bytes(opened.read_bytes())
    done = mouth_live("events", "opened.mp4", *options)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr


def start_events(*args, **more):
    """The command in a process of its own, up to its first start of ``open``."""
    command = [*COMMAND, "events", *map(str, args)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    lines = []
    while not any(line["type"] == "start" and line["kind"] == "open" for line in lines):
        text = process.stdout.readline()
        assert text, process.stderr.read()
        lines.append(json.loads(text))
    return process, lines


def end_of(process, lines):
    """Wait for it; (exit code, all lines)."""
    out, err = process.communicate(timeout=20)
    assert "Traceback" not in err
    return process.returncode, lines + [json.loads(line) for line in out.splitlines()]


SIGNALS = [("SIGINT", 0), ("SIGTERM", 143), ("SIGHUP", 143)] if sys.platform != "win32" else [("CTRL_BREAK_EVENT", 143)]


@pytest.mark.parametrize(("name", "code"), SIGNALS)
def test_a_signal_with_the_mouth_open_still_sends_the_stop(opened, name, code):
    if sys.platform == "win32":
        flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    else:  # tests that run under nohup pass the ignored SIGHUP on
        flags = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)}
    process, lines = start_events("--camera", opened, **flags)
    asked = time.monotonic()
    process.send_signal(getattr(signal, name))
    ended, lines = end_of(process, lines)
    assert (ended, unstopped(lines)) == (code, set())
    assert lines[-1]["type"] == "stop"
    assert time.monotonic() - asked < 2


def test_a_closed_terminal_that_nohup_ignores_ends_nothing(opened):
    if sys.platform == "win32":
        pytest.skip("Windows has no SIGHUP")
    process, lines = start_events("--camera", opened, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert end_of(process, lines)[0] == 143


def test_a_reader_that_goes_ends_it_silently(opened):
    process, _ = start_events("--camera", opened)
    process.stdout.close()
    os.kill(process.pid, signal.SIGINT)  # the next thing it writes is the stop
    assert process.wait(20) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_cut_off_recording_gives_its_stops_and_then_1(mouth_live, opened, tmp_path):
    fast = ["ffmpeg", "-v", "error", "-i", opened, "-c", "copy", "-movflags", "+faststart", tmp_path / "whole.mp4"]
    subprocess.run(list(map(str, fast)), check=True)
    content = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 7 // 10])
    done = mouth_live("events", "cut.mp4")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, unstopped(lines)) == (1, set())
    assert lines[-1]["type"] == "stop"
    assert "cut off" in done.stderr


class Unplugged:
    """A camera that shows a clip's open mouth and then gives nothing more, or an error."""

    name, nominal_rate, duration, start_time, size = "made", 10.0, None, 0.0, (480, 480)

    def __init__(self, clip, failure):
        from mouth_live.realtime.video.sources import open_video

        with open_video(clip) as video:
            self.frames = [frame for frame in video if frame.time < 2]
        self.failure = failure

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return

    def __iter__(self):
        yield from self.frames
        if self.failure is None:
            time.sleep(1.2)  # longer than silence is borne
            self.told = True
            return
        raise self.failure


@pytest.mark.parametrize("failure", [None, SourceError("made: gone")])
def test_a_camera_that_is_lost_stops_what_was_on(opened, monkeypatch, tmp_path, failure):
    camera = Unplugged(opened, failure)
    monkeypatch.setattr("mouth_live.realtime.video.opening.open_camera", lambda *_: camera)
    monkeypatch.setattr(
        "mouth_live.realtime.system.prefetch.Prefetch._is_full", lambda _ahead, _size: False
    )  # keep every frame
    out = tmp_path / "lines"
    if failure is None:
        write_events("made", Target("events", "json", out), ProductOptions(), AnalysisSettings())
    else:
        with pytest.raises(SourceError, match="gone"):
            write_events("made", Target("events", "json", out), ProductOptions(), AnalysisSettings())
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert any(line["kind"] == "open" for line in lines)
    assert unstopped(lines) == set()

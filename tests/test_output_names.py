"""The names of outputs: their endings choose the format, and a file that exists is kept."""

import numpy as np
import pytest
from held_clip import write_clip
from test_cli import one_line

from mouth_live.models import Face
from mouth_live.models.errors import UsageError
from mouth_live.realtime import Analysis, Frame, Reading
from mouth_live.realtime.commands.calibrator import Calibrator
from mouth_live.realtime.commands.file_formats import EVENTS, NETWORK, TABLE, VIDEO, format_of
from mouth_live.realtime.lips.profiles import Profile, load_profile, save_profile

BEGINS = {
    "x.TextGrid": 'File type = "ooTextFile"',
    "x.eaf": "<?xml",
    "x.srt": "1\n00:00:",
    "x.vtt": "WEBVTT\n",
    "x.txt": "",
    "x.csv": "face_id,kind,start,end\n",
    "X.CSV": "face_id,kind,start,end\n",
    "x.jsonl": '{"type": "start"',
    "x.json": '{"type": "start"',
    "noending": '{"type": "start"',
}


@pytest.mark.parametrize("name", BEGINS)
def test_the_ending_chooses_the_format_of_events(mouth_live, demo_clip, tmp_path, name):
    done = mouth_live("events", demo_clip, "-o", name)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / name).read_text()
    assert text.startswith(BEGINS[name])
    if name == "x.txt":
        assert text.splitlines()[0].endswith("face 0: lips active")


@pytest.mark.parametrize(("words", "says"), [
    (["events", "short.mp4", "-o", "x.foo"], "x.foo: cannot write lip events as .foo; the name must end in .jsonl, "),
    (["events", "short.mp4", "-o", "x.foo", "--format", "csv"], "x.foo: cannot write lip events as .foo"),
    (["events", "short.mp4", "-o", "x.srt", "--format", "vtt"], "this ending means --format srt, not vtt"),
    (["events", "short.mp4", "-o", "x.srt", "--values"], "--values needs the format json, not srt"),
    (["process", "short.mp4", "-o", "a.xlsx"], "a.xlsx: cannot write a table as .xlsx; the name must end in .csv"),
    (["process", "short.mp4", "-o", "grid.csv"], "grid.csv: the outputs go into a folder"),
    (["process", "short.mp4", "short.mp4", "-o", "new.csv"], "new.csv: the outputs go into a folder"),
    (["process", "short.mp4", "--annotate", "a.avi"], "a.avi: cannot write a video as .avi"),
    (["process", "short.mp4", "--annotate", "a"], "a: cannot write a video without an ending"),
    (["demo", "-o", "new.csv"], "new.csv: the outputs go into a folder"),
    (["--no-window", "--csv", "a.txt"], "a.txt: cannot write a table as .txt"),
    (["--no-window", "--record", "a.csv"], "a.csv: cannot write a video as .csv"),
    (["label", "short.mp4", "-o", "a.xlsx"], "a.xlsx: cannot write a table"),
    (["evaluate", "openness_compact", "--data", ".", "--json", "x.html"], "x.html: cannot write a report as .html"),
    (["evaluate", "openness_compact", "--data", ".", "--html", "x.json"], "x.json: cannot write a page as .json"),
    (["summary", "t.csv", "-o", "x.pdf"], "x.pdf: cannot write a summary as .pdf; the name must end in .csv, "),
    (["summary", "t.csv", "-o", "x.html", "--format", "csv"], "x.html: this ending means --format html, not csv"),
    (["process", "short.mp4", "short.mp4", "-o", "new.pdf"], "new.pdf: the outputs go into a folder"),
    (["report", "folder", "-o", "new.pdf"], "new.pdf: the outputs go into a folder"),
    (["export", "folder", "-o", "x.keras"], "x.keras: cannot write a network as .keras; the name must end in .tflite"),
])  # fmt: skip
def test_another_ending_is_one_line_and_2_before_any_work(mouth_live, short_clip, tmp_path, words, says):
    (tmp_path / "short.mp4").symlink_to(short_clip)
    (tmp_path / "folder").mkdir()
    (tmp_path / "grid.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    done = mouth_live(*words)
    assert done.returncode == 2
    assert says in one_line(done)
    assert sorted(tmp_path.rglob("*")) == before


CLASHES = {
    1: "in/1.mkv and in/1.mp4 would both be written to out/1.csv; ",
    2: "2 inputs would be written to the output of another: in/1.mkv and in/1.mp4 to out/1.csv, "
    "in/2.mkv and in/2.mp4 to out/2.csv; ",
    5: "5 inputs would be written to the output of another: in/1.mkv and in/1.mp4 to out/1.csv, "
    "in/2.mkv and in/2.mp4 to out/2.csv, in/3.mkv and in/3.mp4 to out/3.csv and 2 more; ",
}


@pytest.mark.parametrize("count", CLASHES)
def test_inputs_that_would_have_one_output_are_counted_and_the_first_named(mouth_live, tmp_path, count):
    (tmp_path / "in").mkdir()
    for number in range(1, count + 1):
        for ending in ("mp4", "mkv"):
            (tmp_path / "in" / f"{number}.{ending}").touch()
    (tmp_path / "in" / "other.mp4").touch()
    done = mouth_live("process", "in", "-o", "out", "--events", "csv")
    assert done.returncode == 2
    assert one_line(done) == f"mouth-live: error: {CLASHES[count]}give different names or folders"
    assert not (tmp_path / "out").exists()


def test_two_outputs_of_one_recording_have_two_names(mouth_live, short_clip, tmp_path):
    (tmp_path / "a.mp4").symlink_to(short_clip)
    done = mouth_live("process", "a.mp4", "a.mp4", "-o", "out")
    assert done.returncode == 2
    assert "two outputs of a.mp4 would both be written to out/a.csv" in one_line(done)
    device = ["-o", "/dev/null", "--annotate", "/dev/null"]
    assert mouth_live("process", "a.mp4", *device, "--dry-run").returncode == 0


def test_streams_and_stdout_may_have_any_format(mouth_live, short_clip, tmp_path):
    assert format_of(None, EVENTS, "csv") == format_of("-", EVENTS, "csv") == "csv"
    assert format_of("/dev/null", EVENTS) is None
    assert format_of("/dev/null", VIDEO) is None
    assert format_of("x.TXT", EVENTS, "audacity") == "audacity"
    assert format_of("run.2/x", TABLE) is None
    with pytest.raises(UsageError):
        format_of("x", NETWORK)
    assert mouth_live("events", short_clip, "-o", "-", "--format", "csv").stdout.startswith("face_id,")
    assert mouth_live("process", short_clip, "-o", "/dev/stdout").stdout.startswith("frame,")


def test_a_name_on_the_command_line_wins_over_the_config_file(mouth_live, short_clip, tmp_path):
    (tmp_path / "my.toml").write_text('[events]\nformat = "textgrid"\n')
    done = mouth_live("events", short_clip, "--config", "my.toml", "-o", "x.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.csv").read_text() == "face_id,kind,start,end\n"
    assert mouth_live("events", short_clip, "--config", "my.toml").stdout.startswith("File type")
    (tmp_path / "both.toml").write_text('[events]\nformat = "textgrid"\noutput = "y.csv"\n')
    assert mouth_live("events", short_clip, "--config", "both.toml").returncode == 2


# --- what exists is kept


@pytest.mark.parametrize(("words", "name"), [
    (["events", "--camera", "short.mp4", "-o", "kept.csv"], "kept.csv"),
    (["--camera", "short.mp4", "--no-window", "--csv", "kept.csv"], "kept.csv"),
    (["--camera", "short.mp4", "--no-window", "--record", "kept.mp4"], "kept.mp4"),
    (["evaluate", "openness_compact", "--data", ".", "--json", "kept.json"], "kept.json"),
    (["evaluate", "openness_compact", "--data", ".", "--html", "kept.html"], "kept.html"),
    (["export", "run", "-o", "kept.tflite"], "kept.tflite"),
    (["export", "run", "-o", "kept.tflite"], "kept.json"),
    (["export", "run", "-o", "kept.tflite"], "kept.keras"),
])  # fmt: skip
def test_an_existing_file_is_kept_and_the_user_told(mouth_live, short_clip, tmp_path, words, name):
    (tmp_path / "short.mp4").symlink_to(short_clip)
    (tmp_path / name).write_text("kept")
    done = mouth_live(*words)
    assert done.returncode == 1
    assert one_line(done).startswith(f"mouth-live: error: {name}: exists already; --overwrite replaces it")
    assert (tmp_path / name).read_text() == "kept"
    assert "exists already" not in mouth_live(*words, "--overwrite").stderr


@pytest.mark.slow
def test_the_demo_keeps_its_files_in_a_folder_of_their_own(mouth_live, tmp_path):
    folder = tmp_path / "mouth-live-demo"
    assert mouth_live("demo").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mouth-live-demo"]
    (folder / "mouth-live-demo.csv").write_text("kept")
    done = mouth_live("demo")
    assert (done.returncode, (folder / "mouth-live-demo.csv").read_text()) == (0, "kept")
    assert "mouth-live-demo.csv: was changed after it was made, kept" in done.stderr
    assert mouth_live("demo", "--overwrite").returncode == 0
    assert (folder / "mouth-live-demo.csv").read_text().startswith("frame,")
    done = mouth_live("demo", "-o", "no/folder")
    assert (done.returncode, "no/folder: cannot make this folder" in done.stderr) == (1, True)


@pytest.mark.slow
def test_a_profile_is_kept(mouth_live, tmp_path, monkeypatch):
    monkeypatch.setenv("MOUTH_LIVE_CONFIG", str(tmp_path / "config"))
    save_profile(Profile("anna", 0.125, 0.5))
    clip = write_clip(tmp_path / "range.mp4", 0.0, 0.7)
    words = ["calibrate", "--camera", clip, "--no-window", "--seconds", "1.1", "--profile", "anna"]
    done = mouth_live(*words)
    assert done.returncode == 1
    assert "profile 'anna' exists already; --overwrite replaces it" in one_line(done)
    assert load_profile("anna").closed == 0.125
    assert mouth_live(*words, "--overwrite").returncode == 0
    assert load_profile("anna").closed != 0.125


def measured(closed: float, wide: float):
    """Yield 2.4 s of one face, its mouth closed, then wide open."""
    face = Face((0, 0, 80, 80), np.array([[-20, 0], [20, 0], [0, 20], [0, 40], [-40, 5], [40, 5]], np.float32), 0.9)
    for index in range(62):
        raw = closed if index < 30 else wide
        frame = Frame(index, index / 25, np.zeros((2, 2, 3), np.uint8))
        yield Analysis(frame, (Reading(0, face, raw, raw, False, 0.9),), ())


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("earlier", [False, True])
def test_key_c_keeps_a_profile_of_an_earlier_run_but_not_its_own(tmp_path, monkeypatch, overwrite, earlier):
    monkeypatch.setenv("MOUTH_LIVE_CONFIG", str(tmp_path))
    if earlier:
        save_profile(Profile("me", 0.125, 0.5))
    used: list[Profile] = []
    calibrator = Calibrator("me", "openness_compact", seconds=1.2, on_profile=used.append, overwrite=overwrite)
    for wide in (0.8, 0.9):
        calibrator.begin()
        for analysis in measured(0.05, wide):
            calibrator.write(analysis)
    assert [profile.wide for profile in used] == [0.8, 0.9]
    is_kept = earlier and not overwrite
    assert load_profile("me").wide == (0.5 if is_kept else 0.9)
    assert calibrator.notice == ("calibrated; profile 'me' kept" if is_kept else "profile 'me' saved")


def test_a_name_that_ends_in_a_slash_is_a_folder_that_must_be_there(mouth_live, short_clip, tmp_path):
    done = mouth_live("process", str(short_clip), "-o", "tables/")
    assert done.returncode == 2
    assert "tables/: there is no such folder; make it" in done.stderr
    assert not (tmp_path / "tables").exists()
    (tmp_path / "tables").mkdir()
    assert mouth_live("process", str(short_clip), "-o", "tables/").returncode == 0
    assert (tmp_path / "tables" / f"{short_clip.stem}.csv").exists()

"""``mouth-live report``: what the page says, what becomes of files, and that it never asks for anything."""

import base64
import contextlib
import csv
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zlib

import cv2
import numpy as np
import pytest

from mouth_live.models import FaceFinder
from mouth_live.models.errors import MouthLiveError
from mouth_live.realtime import read_table
from mouth_live.realtime.commands.cli import cli
from mouth_live.realtime.sinks.report.colours import on_dark, on_light
from mouth_live.realtime.sinks.report.recording import read_recording
from mouth_live.realtime.sinks.report.thinning import thinned
from mouth_live.realtime.video.frames_at import frames_at, frames_near

HEADER = "frame,timestamp,face_id,confidence,success,x,y,width,height,openness_raw,openness,active,reliability\n"


def written(path, frames, rate=25, first=0.0):
    """Write a table of frames: for each a mapping from face to (openness, active, reliability)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER]
    for index, faces in enumerate(frames):
        time = f"{index},{first + index / rate:.6f}"
        lines += [
            f"{time},{face},0.9000,1,10.0,10.0,50.0,50.0,{value:.4f},{value:.4f},{active},{reliability:.4f}\n"
            for face, (value, active, reliability) in sorted(faces.items())
        ]
        lines += [] if faces else [f"{time},,,0,,,,,,,,,\n"]
    path.write_text("".join(lines))
    return path


def some_frames():
    """Four seconds: face 0 talks in the second one, face 3 is there from 1 s to 3 s, and doubtful in its last half."""
    frames = []
    for i in range(100):
        faces = {0: (0.5 + 0.4 * (i % 10 > 4) if 25 <= i < 50 else 0.02, int(25 <= i < 50), 0.9)}
        if 25 <= i < 75 and i != 40:
            faces[3] = (0.8, 0, 0.9 if i < 50 else 0.1)
        frames.append(faces)
    return frames


def with_activity(path, values):
    """Add the column ``activity`` to a table whose rows are all of faces, a value for each row; None for no value."""
    header, *rows = path.read_text().splitlines()
    cells = ["" if value is None else f"{value:.4f}" for value in values]
    path.write_text("\n".join([f"{header},activity", *map(",".join, zip(rows, cells, strict=True)), ""]))
    return path


def page_data(page):
    """What the page's scripts read."""
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(text)


def unpacked(text, dtype):
    return np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype), dtype=dtype)


@pytest.fixture
def here(monkeypatch, tmp_path):
    """Run the command line in this process, for a new one takes a second; an error is raised."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: cli.main([str(word) for word in words], "mouth-live", standalone_mode=False)


@pytest.fixture(scope="module")
def demo_report(demo_clip, tmp_path_factory):
    """The demo's page; its table and events lie beside it."""
    folder = tmp_path_factory.mktemp("report")
    with contextlib.chdir(folder):
        for words in (["process", demo_clip, "-o", "demo.csv", "--events", "json"], ["report", "demo.csv"]):
            cli.main([str(word) for word in words], "mouth-live", standalone_mode=False)
    return folder / "demo.report.html"


# --- content


def test_the_page_holds_the_curves_and_the_events_of_the_table(mouth_live, tmp_path):
    written(tmp_path / "a.csv", some_frames())
    done = mouth_live("report", "a.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "mouth-live: a.report.html: 2 faces in 100 frames, without a video\n"
    data = page_data((tmp_path / "a.report.html").read_text())
    table = read_table(tmp_path / "a.csv")
    times = data["origin"] + unpacked(data["times"], np.uint32) / data["ticks"]
    assert times == pytest.approx(np.arange(100) / 25, abs=1e-4)
    assert [face["id"] for face in data["faces"]] == [0, 3]
    for face in data["faces"]:
        mine = table[table.success & (table.face_id == face["id"])]
        for name, column in (("smooth", "openness"), ("raw", "openness_raw")):
            levels = unpacked(face[name], np.uint8)
            there = np.flatnonzero(levels != data["missing"])
            assert (there + face["first"]).tolist() == mine.frame.tolist()
            assert levels[there] / data["levels"] == pytest.approx(mine[column], abs=0.0021)
    first, second = data["faces"]
    assert (first["active"], second["active"]) == ([1.0, 2.0], [])
    assert (first["doubtful"], second["doubtful"]) == ([], [2.0, 3.0])
    assert second["opened"][0] == pytest.approx(1.0, abs=0.05)


def test_the_bars_are_the_intervals_of_events(demo_report):
    found = {"activity": [], "open": []}
    for line in demo_report.with_name("demo.events.jsonl").read_text().splitlines():
        event = json.loads(line)
        found[event["kind"]].append(event["timestamp"])
    (face,) = page_data(demo_report.read_text())["faces"]
    assert face["active"] == pytest.approx(found["activity"], abs=0.001)
    assert face["opened"] == pytest.approx(found["open"], abs=0.001)
    active = read_table(demo_report.with_name("demo.csv"))
    assert active.timestamp[active.active][0] > face["active"][0] + 0.2  # the column says when it was decided


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_every_format_gives_the_same_page(here, short_clip, tmp_path, form):
    pages = []
    for name in ("csv", form):
        here("process", short_clip, "-o", f"short.{name}")
        here("report", f"short.{name}", "-o", f"{name}.html")
        pages.append((tmp_path / f"{name}.html").read_text())
    assert pages[0] == pages[1]


def test_the_numbers_are_those_of_the_summary(mouth_live, here, tmp_path):
    written(tmp_path / "a.csv", some_frames())
    rows = list(csv.DictReader(io.StringIO(mouth_live("summary", "a.csv").stdout)))
    here("report", "a.csv")
    shown = re.findall(r"<tr><th.*?</tr>", (tmp_path / "a.report.html").read_text().split("<tbody>")[1])
    names = ("seen_seconds", "seen_share", "talk_seconds", "openings", "opening_seconds", "openness_50", "reliability")
    assert len(shown) == len(rows) == 2
    for line, row in zip(shown, rows, strict=True):
        assert {row[name] for name in names} <= set(re.findall("<td>(.*?)</td>", line))


def test_a_recording_without_faces_is_a_page_too(here, tmp_path):
    written(tmp_path / "none.csv", [{} for _ in range(20)])
    here("report", "none.csv")
    assert "No face was read" in (tmp_path / "none.report.html").read_text()


def test_the_page_may_ask_for_its_video_and_nothing_else(here, tmp_path):
    written(tmp_path / "a.csv", some_frames())
    here("report", "a.csv")
    page = (tmp_path / "a.report.html").read_text()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["media-src"] == "'self' file:"
    assert "connect-src" not in rules
    assert re.fullmatch(r"('sha256-\S+' ?){2}", rules["script-src"])
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', re.sub(r"<script>.*?</script>", "", page, flags=re.S)) == []


def test_a_name_is_shown_as_it_is_and_runs_nothing(here, tmp_path):
    name = "<b>&amp; $`.csv"
    written(tmp_path / name, some_frames())
    here("report", name, "-o", "a.html")
    assert "<h1>&lt;b&gt;&amp;amp; $`</h1>" in (tmp_path / "a.html").read_text()


def test_colours_are_the_overlays_and_can_be_seen():
    assert len({*on_dark()}) == len({*on_light()}) == 8

    def luminance(colour):
        values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    assert min(1.05 / (luminance(colour) + 0.05) for colour in on_light()) >= 2.95
    assert min((luminance(colour) + 0.05) / (luminance("#15181c") + 0.05) for colour in on_dark()) >= 3


def test_a_thin_curve_keeps_its_peaks(tmp_path):
    frames = [{0: (0.98 if i == 1234 else 0.04, 0, 0.9)} if not 2000 <= i < 2500 else {} for i in range(5000)]
    found = read_recording(written(tmp_path / "a.csv", frames))
    times, levels = thinned(found, found.tracks[0], 100)
    assert len(times) == len(levels) <= 202
    assert times[np.nanargmax(levels)] == pytest.approx(1234 / 25, abs=2)
    assert (np.nanmax(levels), np.nanmin(levels)) == (245, 10)
    assert np.isnan(levels[(times > 81) & (times < 98)]).all()


def test_the_page_holds_activity_and_its_share_where_the_table_has_it(here, tmp_path):
    frames = [{0: (0.5, 0, 0.9)} for _ in range(40)]
    values = [0.1] * 10 + [0.35] * 10 + [0.75] * 10 + [None] * 10
    for name in ("new.csv", "old.csv"):
        written(tmp_path / name, frames)
    with_activity(tmp_path / "new.csv", values)
    here("report", "new.csv", "--activity-limit", "0.3")
    here("report", "old.csv")
    new, old = ((tmp_path / f"{name}.report.html").read_text() for name in ("new", "old"))
    data = page_data(new)
    assert data["activityLimit"] == 0.3
    levels = unpacked(data["faces"][0]["activity"], np.uint8)
    there = levels != data["missing"]
    assert there.tolist() == [value is not None for value in values]
    assert levels[there] / data["levels"] == pytest.approx(values[:30], abs=0.0021)
    assert "<td>0.4000</td><td>0.6667</td></tr>" in new
    assert "in which it is at least 0.3.</p>" in new
    assert page_data(old)["faces"][0]["activity"] == ""
    assert "<td></td><td></td></tr>" in old


@pytest.mark.parametrize("frames", [[{0: (0.5, 1, 0.9)}], [{}, {0: (0.5, 1, 0.9)}, {}]])
def test_a_face_of_one_frame_is_a_line_and_a_bar(here, tmp_path, frames):
    found = read_recording(written(tmp_path / "a.csv", frames))
    times, levels = thinned(found, found.tracks[0], 100)
    start = (len(frames) - 1) / 2 / 25
    assert (times[levels == 125].tolist(), len(times)) == (pytest.approx([start, start + 0.04]), 2)
    assert found.tracks[0].active.tolist() == [pytest.approx([start, start + 0.04])]
    here("report", "a.csv", "--png", "a.png")
    drawn = cv2.imread(str(tmp_path / "a.png")).astype(int)
    assert np.count_nonzero(np.ptp(drawn, axis=2) > 60) > 1000  # the face's colour


# --- the video


def shown_video(page):
    return page_data(page.read_text())["video"]


def test_the_video_is_found_through_the_manifest_and_by_name(mouth_live, short_clip, tmp_path):
    (tmp_path / "my videos").mkdir()
    shutil.copy(short_clip, tmp_path / "my videos" / "té #1.mp4")
    assert mouth_live("process", "my videos/té #1.mp4", "-o", "a.csv").returncode == 0
    (tmp_path / "pages").mkdir()
    done = mouth_live("report", "a.csv", "-o", "pages")
    assert done.stderr == "mouth-live: pages/a.report.html: 1 face in 25 frames, with té #1.mp4\n"
    assert shown_video(tmp_path / "pages" / "a.report.html")["address"] == "../my%20videos/t%C3%A9%20%231.mp4"
    (tmp_path / "a.csv.json").unlink()
    assert shown_video_after(mouth_live, tmp_path) == ""
    shutil.copy(short_clip, tmp_path / "a.mov")
    assert shown_video_after(mouth_live, tmp_path) == "a.mov"
    assert shown_video_after(mouth_live, tmp_path, "--video", "my videos/té #1.mp4") == "my%20videos/t%C3%A9%20%231.mp4"


def shown_video_after(mouth_live, tmp_path, *options):
    assert mouth_live("report", "a.csv", "--overwrite", *options).returncode == 0
    return shown_video(tmp_path / "a.report.html")["address"]


def test_a_video_that_is_gone_or_another_one_is_reported(mouth_live, short_clip, demo_clip, tmp_path):
    shutil.copy(short_clip, tmp_path / "talk.mp4")
    assert mouth_live("process", "talk.mp4").returncode == 0
    shutil.copy(demo_clip, tmp_path / "talk.mp4")
    done = mouth_live("report", "talk.csv")
    assert done.returncode == 0
    assert "warning: the video talk.mp4 has changed since the table was made" in done.stderr
    (tmp_path / "talk.mp4").unlink()
    done = mouth_live("report", "talk.csv", "--overwrite")
    assert done.returncode == 0
    assert "warning: the video talk.mp4 was not found" in done.stderr
    assert "The video talk.mp4 was not found when this page was made" in (tmp_path / "talk.report.html").read_text()


def test_a_video_of_another_length_is_reported(mouth_live, demo_clip, tmp_path):
    for seconds, words in ((4, ": times and pictures may not fit"), (7.5, "")):
        written(tmp_path / "a.csv", [{}] * round(25 * seconds))
        done = mouth_live("report", "a.csv", "--video", demo_clip, "--overwrite")
        warnings = [line for line in done.stderr.splitlines() if "warning" in line]
        said = f"warning: the video {demo_clip} lasts 8.0 s and the table {seconds:.1f} s{words}"
        assert warnings == ([f"mouth-live: {said}"] if words else [])
        assert ("lasts 8.0 s" in (tmp_path / "a.report.html").read_text()) == bool(words)


def test_a_face_has_its_picture(demo_report):
    (text,) = set(re.findall(r"data:image/jpeg;base64,([\w+/=]+)", demo_report.read_text()))
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (112, 112, 3)
    assert len(FaceFinder().find(cv2.resize(picture, (224, 224)))) == 1


def test_a_late_frame_is_the_same_whether_searched_or_counted(long_clip):
    rate = cv2.VideoCapture(str(long_clip)).get(cv2.CAP_PROP_FPS)
    wanted = {index: index / rate for index in (620, 777)}
    counted = dict(frames_at(long_clip, wanted))
    searched = dict(frames_near(long_clip, wanted))
    assert counted.keys() == searched.keys() == wanted.keys()
    assert all(np.array_equal(counted[index], searched[index]) for index in wanted)


def test_a_frame_that_is_not_at_its_time_is_counted(long_clip):
    rate = cv2.VideoCapture(str(long_clip)).get(cv2.CAP_PROP_FPS)
    ((index, image),) = frames_near(long_clip, {600: 30.5 / rate})
    assert index == 600
    assert np.array_equal(image, dict(frames_at(long_clip, [600]))[600])


def test_the_page_knows_how_late_the_first_picture_is(here, short_clip, tmp_path):
    sound = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=2", "-itsoffset", "0.8", "-i", str(short_clip)]
    subprocess.run([*sound, "-map", "1:v", "-map", "0:a", "-c:v", "copy", tmp_path / "late.mp4"], check=True)
    for clock, expected in (("first", 0.8), ("media", 0.0)):
        here("process", "late.mp4", "--time", clock, "--overwrite")
        here("report", "late.csv", "--overwrite")
        assert shown_video(tmp_path / "late.report.html")["start"] == pytest.approx(expected, abs=0.001)


# --- files


def test_a_page_is_kept_and_replaced_when_asked(mouth_live, tmp_path):
    written(tmp_path / "a.csv", some_frames())
    (tmp_path / "a.report.html").write_text("mine")
    done = mouth_live("report", "a.csv")
    assert done.returncode == 1
    assert "a.report.html: exists already; --overwrite replaces it" in done.stderr
    assert (tmp_path / "a.report.html").read_text() == "mine"
    assert mouth_live("report", "a.csv", "--overwrite").returncode == 0
    assert (tmp_path / "a.report.html").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["a.csv", "-o", "-"], 2, "give a file"),
        (["a.csv", "-o", "a.pdf"], 2, "must end in .html or .htm"),
        (["a.csv", "--png", "a.jpg"], 2, "must end in .png"),
        (["a.csv", "--svg", "a.png"], 2, "must end in .svg"),
        (["a.csv", "--video", "gone.mp4"], 1, "gone.mp4: no such file"),
        (["gone.csv"], 1, "gone.csv: cannot read it"),
        (["empty.csv"], 1, "empty.csv: no rows in this table"),
        (["other.csv"], 1, "other.csv: no table of readings"),
        (["link.csv", "-o", "link.html", "--overwrite"], 2, "would overwrite the input"),
        (["folder", "--video", "a.mp4"], 2, "for a single table"),
        (["folder", "--png", "a.png"], 2, "for a single table"),
        (["folder", "-o", "out.html"], 2, "name a folder"),
        (["twins", "-o", "out"], 2, "twins/a.csv and twins/a.parquet would both be written to out/a.report.html"),
        (["nothing", "-o", "out"], 1, "no table of readings in this folder"),
    ],
)
def test_what_cannot_be_is_one_line(here, tmp_path, arguments, code, words):
    for name in ("a.csv", "folder/a.csv", "twins/a.csv"):
        written(tmp_path / name, some_frames())
    shutil.copy(tmp_path / "a.csv", tmp_path / "twins" / "a.parquet")  # the content tells the format
    (tmp_path / "empty.csv").write_text(HEADER)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "link.html").symlink_to(written(tmp_path / "link.csv", some_frames()))
    (tmp_path / "nothing").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(MouthLiveError) as raised:
        here("report", *arguments)
    assert raised.value.exit_code == code
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("package", "options"), [("bokeh", []), ("matplotlib", ["--png", "a.png"])])
def test_a_missing_extra_is_named(mouth_live, tmp_path, package, options):
    written(tmp_path / "a.csv", some_frames())
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("raise ModuleNotFoundError")
    done = mouth_live("report", "a.csv", *options)
    assert done.returncode == 1
    assert f"({package}) needs an optional package; install it with: pip install 'mouth-live[report]'" in done.stderr
    assert not (tmp_path / "a.report.html").exists()


def test_figures_for_a_paper(here, tmp_path):
    written(tmp_path / "a.csv", some_frames())
    here("report", "a.csv", "--png", "a.png", "--svg", "a.svg")
    picture = cv2.imread(str(tmp_path / "a.png"))
    assert picture.shape[1] == 2100  # 7 inches at 300 dots
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_a_folder_gets_a_page_for_each_table_and_an_index(mouth_live, tmp_path):
    for name in ("one.csv", "deep/two.csv", "deep/three <3.csv"):
        written(tmp_path / "tables" / name, some_frames())
    (tmp_path / "tables" / "cut.csv").write_text(f"{HEADER}0,0.0,0,0.9,1,1,1,9,9\n")
    done = mouth_live("report", "tables", "-o", "pages")
    assert done.returncode == 3
    assert "1 of 4 tables failed" in done.stderr
    pages = {str(path.relative_to(tmp_path / "pages")) for path in (tmp_path / "pages").rglob("*") if path.is_file()}
    assert pages == {"index.html", "one.report.html", "deep/two.report.html", "deep/three <3.report.html"}
    index = (tmp_path / "pages" / "index.html").read_text()
    links = re.findall(r'<a href="([^"]*)">([^<]*)</a>', index)
    assert links == [
        ("deep/three%20%3C3.report.html", "deep/three &lt;3"),
        ("deep/two.report.html", "deep/two"),
        ("one.report.html", "one"),
    ]
    assert index.count("<svg") == 6
    assert "cut.csv: damaged" in index.split("Without a report")[1]
    assert mouth_live("report", "tables", "-o", "pages").returncode == 1  # kept
    assert mouth_live("report", "tables", "-o", "pages", "--overwrite").returncode == 3


def test_a_folder_of_which_nothing_can_be_read(mouth_live, tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "empty.csv").write_text(HEADER)
    done = mouth_live("report", "tables", "-o", "pages")
    assert done.returncode == 1
    assert "none of 1 tables became a page" in done.stderr

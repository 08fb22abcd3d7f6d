"""``mouth-live summary``: the numbers against an independent computation, and what becomes of folders and files."""

import csv
import io
import json
import math
import re
import tracemalloc
from html.parser import HTMLParser

import numpy as np
import pytest

from mouth_live.models.face import Face
from mouth_live.realtime import Analysis, Frame, Reading
from mouth_live.realtime.sinks.tables import blocks
from mouth_live.realtime.sinks.tables.formats import table_sink
from mouth_live.realtime.sinks.tables.summary import QUANTILES, summarize

PICTURE = np.zeros((4, 4, 3), np.uint8)


def reading(face_id, openness, active=False, reliability=0.9, score=0.9, activity=math.nan):
    face = Face((0.0, 0.0, 50.0, 50.0), np.zeros((6, 2), np.float32), score)
    return Reading(face_id, face, openness, openness, active, reliability, activity=activity)


def written(path, frames):
    """Write a table of frames: (time in seconds, readings)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with table_sink(path, path.suffix[1:]) as sink:
        for index, (time, readings) in enumerate(frames):
            sink.write(Analysis(Frame(index, time, PICTURE), tuple(readings)))
    return path


def random_frames(count, faces=3, seed=0):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.02, 0.06, count))
    for time in times:
        seen = [i for i in range(faces) if rng.random() < 0.8]
        activity = [rng.choice([math.nan, rng.random()]) for _ in seen]
        numbers = [(rng.random(), rng.random() < 0.3, rng.random()) for _ in seen]
        yield float(time), [reading(i, *n, activity=a) for i, n, a in zip(seen, numbers, activity, strict=True)]


def summary_rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("block", [1, 7, 100_000])
def test_the_numbers_are_those_of_an_independent_computation(tmp_path, monkeypatch, form, block):
    monkeypatch.setattr(blocks, "BLOCK_ROWS", block)
    frames = list(random_frames(200))
    found = summarize(written(tmp_path / f"a.{form}", frames))
    times = [round(time, 6) for time, _ in frames]
    lasts = [*np.diff(times), (times[-1] - times[0]) / 199]
    assert (found.frames, found.crowded) == (200, sum(len(seen) > 1 for _, seen in frames))
    assert found.seconds == pytest.approx(sum(lasts))
    assert [face.face_id for face in found.faces] == [0, 1, 2]
    for face in found.faces:
        mine = [(s, r) for s, (_, seen) in zip(lasts, frames, strict=True) for r in seen if r.face_id == face.face_id]
        assert face.seconds == pytest.approx(sum(s for s, _ in mine))
        assert face.share == len(mine) / 200
        assert face.talking == pytest.approx(sum(s for s, r in mine if r.active))
        assert face.reliability == pytest.approx(np.mean([round(r.reliability, 4) for _, r in mine]))
        measured = np.array([(s, round(r.activity, 4)) for s, r in mine if not math.isnan(r.activity)])
        assert 0 < len(measured) < len(mine)
        assert face.activity == pytest.approx(np.average(measured[:, 1], weights=measured[:, 0]))
        assert face.activity_share == pytest.approx(np.average(measured[:, 1] >= 0.5, weights=measured[:, 0]))
        assert face.openness == pytest.approx(np.quantile([round(r.openness, 4) for _, r in mine], QUANTILES))


@pytest.mark.slow
def test_openings_are_the_events_of_the_same_limits(mouth_live, demo_clip):
    events = mouth_live("events", demo_clip, "--kind", "open", "--format", "csv")
    lengths = [float(row["end"]) - float(row["start"]) for row in csv.DictReader(events.stdout.splitlines())]
    assert mouth_live("process", demo_clip, "-o", "demo.csv").returncode == 0
    (row,) = summary_rows(mouth_live("summary", "demo.csv").stdout)
    assert int(row["openings"]) == len(lengths) == 2
    assert float(row["opening_seconds"]) == pytest.approx(np.mean(lengths), abs=0.0011)
    assert row["frames"] == "200"
    assert (row["whole"], row["reason"]) == ("1", "")  # as the manifest beside the table says


def test_what_is_not_trusted_opens_no_mouth(tmp_path):
    for name, more in (("a", {}), ("b", {"reliability": 0.2}), ("c", {"score": 0.5}), ("d", {"reliability": math.nan})):
        frames = [(i / 25, [reading(0, 0.9 if 20 <= i < 60 else 0.0, **more)]) for i in range(100)]
        written(tmp_path / f"{name}.csv", frames)
    counts = {name: summarize(tmp_path / f"{name}.csv").faces[0] for name in "abcd"}
    assert [counts[name].openings for name in "abcd"] == [1, 0, 0, 1]
    assert counts["a"].opening_seconds == pytest.approx(1.6 + 2 * 0.03, abs=1e-6)
    assert math.isnan(counts["b"].opening_seconds)
    assert math.isnan(counts["d"].reliability)


def test_an_opening_ends_with_its_face_where_the_picture_goes_on_without_one(tmp_path):
    frames = [(index / 25, [reading(0, 0.9)] if index < 50 else []) for index in range(250)]
    (face,) = summarize(written(tmp_path / "a.csv", frames)).faces
    ((start, end),) = face.opened
    assert start == pytest.approx(0.0, abs=0.5)
    assert end == pytest.approx(2.0, abs=0.5)


def test_a_mouth_open_to_the_end_is_an_opening(tmp_path):
    found = summarize(written(tmp_path / "a.csv", [(i / 25, [reading(0, 0.9)]) for i in range(50)]))
    assert (found.faces[0].openings, found.faces[0].opening_seconds) == (1, pytest.approx(49 / 25))


def test_a_recording_without_faces_and_one_of_a_single_frame(mouth_live, tmp_path):
    written(tmp_path / "none.csv", [(i / 10, []) for i in range(20)])
    written(tmp_path / "one.csv", [(0.0, [reading(4, 0.5)])])
    none, one = summary_rows(mouth_live("summary", "none.csv", "one.csv").stdout)
    assert (none["table"], none["frames"], none["seconds"], none["face_id"]) == ("none.csv", "20", "2.000", "")
    assert (one["face_id"], one["seconds"], one["seen_share"], one["openness_50"]) == ("4", "0.000", "1.0000", "0.5000")
    written(tmp_path / "empty.csv", [])
    assert summary_rows(mouth_live("summary", "empty.csv").stdout)[0]["frames"] == "0"


def test_another_limit_and_tables_without_activity(mouth_live, tmp_path):
    levels = [0.2, 0.3, 0.5, 0.8, math.nan]  # each holds for a second
    written(tmp_path / "new.csv", [(i / 10, [reading(0, 0.5, activity=levels[i // 10])]) for i in range(50)])
    text = (tmp_path / "new.csv").read_text()
    (tmp_path / "old.csv").write_text(re.sub(",[^,\n]*$", "", text, flags=re.M))  # of an earlier version
    wanted = ("activity_mean", "activity_share", "activity_limit")
    for options, share, limit in (([], "0.5000", "0.5"), (["--activity-limit", "0.3"], "0.7500", "0.3")):
        new, old = summary_rows(mouth_live("summary", "new.csv", "old.csv", *options).stdout)
        assert [new[name] for name in wanted] == ["0.4500", share, limit]
        assert [old[name] for name in wanted] == ["", "", limit]
        assert [new[name] for name in new if name not in ("table", *wanted)] == [
            old[name] for name in old if name not in ("table", *wanted)
        ]
    for wrong in ("0", "1", "nan", "high"):
        assert mouth_live("summary", "new.csv", "--activity-limit", wrong).returncode == 2


def folder(tmp_path):
    """A folder of tables in each format, and of files that are none."""
    frames = [(i / 25, [reading(0, 0.2)]) for i in range(30)]
    for name in ("a.csv", "sub/b.parquet", "sub/deep/c.jsonl"):
        written(tmp_path / "out" / name, frames)
    (tmp_path / "out" / "failed.csv").write_text("input,reason\nx.mp4,gone\n")
    (tmp_path / "out" / "sub" / "events.jsonl").write_text('{"type": "start"}\n')
    (tmp_path / "out" / "talk.TextGrid").write_text("File type")
    (tmp_path / "out" / "._a.csv").write_text("a Mac's")
    (tmp_path / "out" / "later.csv.part").write_text("frame,timestamp")
    return tmp_path / "out"


def test_a_folder_is_searched_and_what_is_no_table_is_counted(mouth_live, tmp_path):
    folder(tmp_path)
    (tmp_path / "out" / "a.csv.json").write_text(json.dumps({"whole": False, "reason": "cut off, at 1.2 s"}))
    (tmp_path / "out" / "sub" / "b.parquet.json").write_text(json.dumps({"whole": True, "reason": None}))
    (tmp_path / "out" / "sub" / "deep" / "c.jsonl.json").write_text("no manifest")
    done = mouth_live("summary", "out")
    assert done.returncode == 0
    assert done.stderr == "mouth-live: out: 2 files are no tables of readings and were left out\n"
    rows = summary_rows(done.stdout)
    assert [(row["table"], row["whole"], row["reason"]) for row in rows] == [
        ("out/a.csv", "0", "cut off, at 1.2 s"),
        ("out/sub/b.parquet", "1", ""),
        ("out/sub/deep/c.jsonl", "", ""),
    ]
    assert {row["openness_50"] for row in rows} == {"0.2000"}


def test_a_second_summary_leaves_the_first_one_out(mouth_live, tmp_path):
    folder(tmp_path)
    assert mouth_live("summary", "out", "-o", "out/summary.csv").returncode == 0
    first = (tmp_path / "out" / "summary.csv").read_text()
    again = mouth_live("summary", "out", "-o", "out/summary.csv")
    assert (again.returncode, "out/summary.csv: exists already" in again.stderr) == (1, True)
    assert mouth_live("summary", "out", "-o", "out/summary.csv", "--overwrite").returncode == 0
    assert (tmp_path / "out" / "summary.csv").read_text() == first
    assert not list(tmp_path.rglob("summary*.part"))


def test_exit_codes(mouth_live, tmp_path):
    folder(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "out" / "damaged.csv").write_text((tmp_path / "out" / "a.csv").read_text() + "x,y\n")
    some = mouth_live("summary", "out", "-o", "s.csv")
    assert some.returncode == 3
    assert some.stderr.splitlines()[-1] == "mouth-live: error: 1 of 4 tables failed: out/damaged.csv"
    assert len(summary_rows((tmp_path / "s.csv").read_text())) == 3
    for arguments, code, message in [
        (["gone.csv"], 1, "gone.csv: cannot read it (No such file or directory)"),
        (["empty"], 1, "empty: no table of readings in this folder"),
        (["out/failed.csv", "gone.csv"], 1, "none of 2 tables could be read"),
        (["out", "-o", "x.html", "--format", "csv"], 2, "x.html: this ending means --format html, not csv"),
        (["out", "-o", "out/a.csv", "--overwrite"], 2, "out/a.csv: the output would overwrite a table"),
        ([], 2, "Missing argument"),
    ]:
        done = mouth_live("summary", *arguments)
        assert done.returncode == code, arguments
        assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "x.html").exists()


class Page(HTMLParser):
    """The cells of a page's table, and the addresses that it names."""

    def __init__(self):
        super().__init__()
        self.rows, self.addresses, self.cell = [], [], False

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.cell = False

    def handle_data(self, data):
        if self.cell:
            self.rows[-1][-1] += data


def test_the_page_has_the_same_cells_and_needs_nothing_else(mouth_live, tmp_path):
    folder(tmp_path)
    (tmp_path / "out" / "a.csv").rename(tmp_path / "out" / "<b>&.csv")
    assert mouth_live("summary", "out", "-o", "s.html").returncode == 0
    text = (tmp_path / "s.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    cells = list(csv.reader(io.StringIO(mouth_live("summary", "out", "--format", "csv").stdout)))
    assert page.rows[1:] == cells[1:]
    assert len(page.rows[0]) == len(cells[0])
    assert page.rows[1][0] == "out/<b>&.csv"
    assert page.addresses == []
    assert not re.search(r"https?:|@import|url\(|<link|<img", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme:dark" in text
    assert mouth_live("summary", "out", "--format", "html").stdout == text


def test_memory_does_not_grow_with_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 500)
    peaks = []
    for count in (1000, 10_000):
        path = written(tmp_path / f"{count}.csv", [(i / 25, [reading(0, i % 100 / 100)]) for i in range(count)])
        summarize(path)  # what is made once
        tracemalloc.start()
        summarize(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]

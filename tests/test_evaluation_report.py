"""mouth-live evaluate, from the faces to the page: choice of faces, predictions, JSON, page, the command."""

import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from readings import reading, some_readings, write_labels

from mouth_live.models import DataError, MissingExtraError
from mouth_live.models.openness import Estimates
from mouth_live.models.training.evaluation import readings, result, subjects
from mouth_live.models.training.evaluation.compare import versus, versus_landmarker
from mouth_live.models.training.evaluation.evaluate import Choice, evaluate
from mouth_live.models.training.evaluation.landmarker import read_landmarks
from mouth_live.models.training.evaluation.page import as_page
from mouth_live.models.training.evaluation.text import as_text
from mouth_live.models.training.evaluation.worst_faces import worst_faces


@pytest.fixture(scope="module")
def frames(demo_clip):
    video = cv2.VideoCapture(str(demo_clip))
    taken = [video.read()[1] for _ in range(40)][::4]
    video.release()
    return taken


@pytest.fixture
def folder(tmp_path, frames):
    """Ten pictures of a real face with made-up labels in two sets, and a grey one without a face."""
    faces = tmp_path / "faces"
    faces.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(faces / f"{i}.jpg"), frame)
    cv2.imwrite(str(faces / "10.jpg"), np.full((120, 120, 3), 90, np.uint8))
    rows = [
        {"file": f"{i}.jpg", "set": "ab"[i % 2], "gap_ratio": 0.03 * (i % 7), "landmarker_gap_ratio": 0.03 * (i % 5)}
        for i in range(11)
    ]
    return write_labels(faces, rows)


# --- which faces


def test_the_faces_chosen(tmp_path):
    rows = [{"file": f"{i}.jpg", "gap_ratio": 0.1, "set": s, "part": p} for i, (s, p) in enumerate(
        [("a", "test"), ("a", "train"), ("b", "train"), ("b", "train"), ("c", "test")]
    )]  # fmt: skip
    rows.append({"file": "mask.jpg", "set": "m", "part": "train", "note": "masked"})
    rows.append({"file": "hand.jpg", "gap_ratio": 0.1, "mouth_points_hidden": 12})
    rows[0] |= {"landmarker_gap_ratio": 0.12}
    data = write_labels(tmp_path, rows)

    def names(*args, **more):
        return [s.name for s in subjects.choose(data, *args, **more).chosen]

    assert names() == ["0.jpg", "4.jpg"]
    assert names(["a", "b"]) == ["0.jpg", "2.jpg", "3.jpg"]  # b has no test part: all of it
    assert names(["a"], "train") == ["1.jpg"]
    assert len(names(part="all")) == 5
    chosen = subjects.choose(data)
    assert chosen.chosen[0].landmarker == pytest.approx(0.5)
    assert math.isnan(chosen.chosen[1].landmarker)
    assert [path.name for path in chosen.covered] == ["mask.jpg"]
    assert [path.name for path in chosen.hidden] == ["hand.jpg"]
    with pytest.raises(DataError, match="no set z; known: a, b, c"):
        names(["z"])
    with pytest.raises(DataError, match="--part all"):
        names(["b"], "test")


# --- predictions made elsewhere


def test_predictions_are_measured_like_a_network(folder, tmp_path):
    table = tmp_path / "fold.csv"
    table.write_text("file,openness,reliability\n0.jpg,0.5,0.9\n3.jpg,0.25,\n4.jpg,,\n", encoding="utf-8")
    report = evaluate(table, Choice(folder)).report
    assert [(r.file, r.value, r.reliability) for r in report.faces[:2]] == [
        ("0.jpg", 0.5, 0.9),
        ("3.jpg", 0.25, pytest.approx(math.nan, nan_ok=True)),
    ]
    assert (report.overall.faces, report.overall.missed) == (3, 1)
    assert report.faces[0].size > 50  # its conditions come from the picture
    assert "fold.csv" in report.warnings[0]
    assert report.warnings[1] == "it has values for 3 of the 11 labelled faces of a, b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,openness\n0.jpg,1.5\n", r"line 2: expected a number 0\.\.1, got '1\.5'"),
        ("file,openness\n0.jpg,nan\n", "line 2: .*'nan'"),
        ("file,openness\n0.jpg,0.5\n0.jpg,0.6\n", "line 3: 0.jpg is there twice"),
        ("file,openness\nother.jpg,0.5\n", "other.jpg is not in"),
        ("file,openness\n", "no predictions"),
        ("file,value\n0.jpg,0.5\n", "expected the columns file, openness"),
    ],
)
def test_bad_predictions_are_told(folder, tmp_path, text, message):
    table = tmp_path / "fold.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        evaluate(table, Choice(folder))
    assert "\n" not in str(caught.value)


# --- faces that are covered, and another method


class Unsure:
    """A network that tells brightness as openness and as reliability."""

    def __init__(self, told=True):
        self.told = told

    def read(self, crops):
        values = crops.mean(axis=(1, 2, 3)).astype(np.float32) / 255
        return Estimates(values, values if self.told else np.full_like(values, np.nan))


def test_covered_faces_are_read_where_the_network_tells_reliability(folder):
    pictures = [folder / f"{i}.jpg" for i in (0, 10, 1)]
    assert len(readings.read_covered(Unsure(), pictures)) == 2  # one holds no face
    assert len(readings.read_covered(Unsure(told=False), pictures)) == 0


@pytest.mark.skipif(find_spec("mediapipe") is not None, reason="mediapipe is installed")
def test_the_landmarker_without_mediapipe_is_told(folder, tmp_path):
    with pytest.raises(MissingExtraError, match=r"mouth-live\[mediapipe\]"):
        read_landmarks(subjects.choose(folder), [], tmp_path / "none.task")


# --- JSON and page


def test_json_round_trip_and_comparing_reports(tmp_path, mouth_live):
    for name, error in (("one", 0.05), ("two", 0.1)):
        rows = [*some_readings(60, error), reading(0.3, math.nan, "lost", turn=math.nan)]
        overall, by = result.summarise(rows)
        report = result.Evaluation(name, "", "", "faces", "people", (), overall, by, None, (), tuple(rows))
        (tmp_path / f"{name}.json").write_text(report.as_json(), encoding="utf-8")
    told, again = result.read_rows(tmp_path / "one.json")
    assert told == "one"
    assert again[0].truth == pytest.approx(some_readings(1)[0].truth, abs=1e-6)
    assert math.isnan(again[-1].value)
    assert "NaN" not in (tmp_path / "one.json").read_text()
    done = mouth_live("evaluate", "one.json", "--compare", "two.json", "--json", "both.json")
    assert (done.returncode, "Against two" in done.stdout) == (0, True)
    pair = json.loads((tmp_path / "both.json").read_text())["versus"][0]["overall"]
    assert pair["error_ratio"]["low"] > 1
    assert pair["difference"]["high"] < 0
    (tmp_path / "two.json").write_text("{}", encoding="utf-8")
    done = mouth_live("evaluate", "one.json", "--compare", "two.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "two.json: not a report" in done.stderr
    assert done.stderr.count("\n") == 1


class Page(HTMLParser):
    """Collects what a page refers to, and whether its tags are in order."""

    VOID = frozenset({"meta", "img", "circle", "line", "polygon", "polyline", "rect", "path", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.references, self.pictures, self.text = [], [], 0, ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.pictures += tag == "img"
        self.references += [value for name, value in attrs if name in {"src", "href", "data", "action"}]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.text += data


def test_the_page_holds_everything_and_needs_nothing(folder, tmp_path, mouth_live):
    options = ("--data", folder, "--json", "r.json", "--html", "r.html")
    done = mouth_live("evaluate", "openness_reference", *options)
    assert done.returncode == 0, done.stderr
    assert "11 faces of 11 people or photos; 1 not found (9.1%)" in done.stdout
    assert "Against landmarker (table): 11 faces" in done.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"faces", "r.json", "r.html"}
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.pictures == 11
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in page.references)
    assert "http" not in text
    assert "prefers-color-scheme: dark" in text
    assert "openness_reference" in page.text
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert f"{report['overall']['mse']['value']:.4f}" in page.text
    worst = max((f for f in report["faces"] if f["value"] is not None), key=lambda f: abs(f["value"] - f["truth"]))
    assert f"{worst['truth']:.2f} \N{RIGHTWARDS ARROW} {worst['value']:.2f}" in page.text


def test_page_and_text_show_reliability_warnings_and_escape_names():
    rng = np.random.default_rng(0)
    rows = [replace(r, reliability=float(rng.random()), landmarker=r.truth) for r in some_readings(50)]
    overall, by = result.summarise(rows)
    judged = result.judge_reliability(rows, np.zeros(3), np.zeros(2))
    report = result.Evaluation(
        "<b>",
        "",
        "",
        "d",
        "people",
        ("TRAINED ON: a & b",),
        overall,
        by,
        judged,
        (versus_landmarker(rows),),
        tuple(rows),
    )
    page = as_page(report, worst_faces(rows, None, []))
    assert "&lt;b&gt;" in page
    assert "<b></b>" not in page
    assert "TRAINED ON: a &amp; b" in page
    told = Page(page).text
    assert f"reliability {min(rows, key=lambda r: -abs(r.value - r.truth)).reliability:.2f}" in told
    assert "one that a mask covers with an AUC of 1.000 (3 faces), and from one of the test part" in told
    text = as_text(report)
    assert "! TRAINED ON: a & b" in text
    assert "without the least reliable" in text
    assert max(map(len, text.splitlines())) <= 160


def test_an_earlier_networks_training_sets_are_told(folder):
    rows = (folder / "labels.csv").read_text().replace(",test,", ",train,").replace(".jpg,a,", ".jpg,helen,")
    (folder / "labels.csv").write_text(rows)
    report = evaluate("openness_reference", Choice(folder, ("helen",))).report
    assert report.warnings[0].startswith("TRAINED ON: by the network's card it was trained on faces of helen,")
    assert not any("TRAINED" in w for w in evaluate("openness_reference", Choice(folder, ("b",))).report.warnings)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("openness_reference",), "on which faces? give their folder or a table"),
        (("nonsense", "--data", "faces"), "nonsense"),
        (("openness_reference", "--data", "nowhere"), "cannot read it"),
        (("openness_reference", "--data", "faces", "--html", "no/such/page.html"), "no such folder"),
        (("openness_reference", "--data", "faces", "--compare", "gone.json"), "gone.json: cannot read it"),
    ],
)
def test_what_goes_wrong_is_one_line(folder, mouth_live, arguments, said):
    done = mouth_live("evaluate", *arguments)
    # A name that is none is a wrong option; a file that cannot be read is not.
    assert (done.returncode, done.stdout) == (2 if arguments[0] == "nonsense" else 1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_compare_with_another_network_reads_the_same_faces(folder):
    report = evaluate("openness_reference", Choice(folder, compare="openness_reference")).report
    assert report.versus[-1].overall.difference.value == 0
    assert report.versus[-1].overall.missed == (1, 1)
    assert versus(report.faces, [r.truth for r in report.faces], "truth", "").overall.mse[1].value == 0
    assert Path(report.data) == folder

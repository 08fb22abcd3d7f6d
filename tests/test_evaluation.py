"""mouth-live evaluate: figures and their intervals, conditions, choice of faces, comparisons, JSON, page."""

import csv
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import stats

from mouth_live.models import DataError, Face, MissingExtraError
from mouth_live.models.openness import Estimates
from mouth_live.models.training.evaluation import conditions, readings, result, statistics, subjects
from mouth_live.models.training.evaluation.compare import versus, versus_landmarker, versus_rows
from mouth_live.models.training.evaluation.evaluate import Choice, evaluate
from mouth_live.models.training.evaluation.landmarker import gap_ratio, read_landmarks
from mouth_live.models.training.evaluation.page import as_page
from mouth_live.models.training.evaluation.readings import FaceReading
from mouth_live.models.training.evaluation.statistics import Sample, estimate
from mouth_live.models.training.evaluation.text import as_text
from mouth_live.models.training.evaluation.worst_faces import worst_faces

COLUMNS = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden"]
COLUMNS += ["eye1_x", "eye1_y", "eye2_x", "eye2_y", "note"]


def write_labels(folder, rows):
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({"set": "a", "part": "test", "person": i} | row for i, row in enumerate(rows))
    return folder


def reading(truth=0.5, value=0.5, file="f.jpg", source="a", group="a/1", by_people=True, **more):
    seen = {"reliability": math.nan, "landmarker": math.nan, "turn": 5.0, "size": 100.0, "sharpness": 300.0}
    return FaceReading(file, source, group, by_people, truth, value, **(seen | {"brightness": 120.0} | more))


def some_readings(count=200, error=0.1, seed=0, **more):
    rng = np.random.default_rng(seed)
    truth = rng.random(count)
    value = np.clip(truth + rng.normal(0, error, count), 0, 1)
    return [
        reading(float(t), float(v), f"{i}.jpg", "ab"[i % 2], f"p{i}", **more)
        for i, (t, v) in enumerate(zip(truth, value, strict=True))
    ]


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


# --- figures


def test_figures_are_those_of_an_independent_reference():
    rng = np.random.default_rng(1)
    truth, read = rng.integers(0, 6, 80) / 5, rng.integers(0, 8, 80) / 7  # with ties
    weights = rng.integers(0, 3, (4, 80)).astype(float)
    for row, w in enumerate(weights):
        t, r = np.repeat(truth, w.astype(int)), np.repeat(read, w.astype(int))
        expected = {
            statistics.mean_squared_error: np.mean((r - t) ** 2),
            statistics.mean_absolute_error: np.mean(np.abs(r - t)),
            statistics.bias: np.mean(r - t),
            statistics.ratio: t.var() / np.mean((r - t) ** 2),
            statistics.pearson: stats.pearsonr(t, r).statistic,
            statistics.spearman: stats.spearmanr(t, r).statistic,
            statistics.auc: stats.mannwhitneyu(r[t > 0], r[t == 0]).statistic / (t > 0).sum() / (t == 0).sum(),
        }
        for figure, value in expected.items():
            assert figure(truth, read, weights)[row] == pytest.approx(value), figure.__name__


def test_open_begins_at_a_gap_ratio_of_0_035():
    assert pytest.approx(0.005 / 0.09 / 2) == statistics.OPEN_FROM
    read, weights = np.array([0.1, 0.9]), np.ones((1, 2))
    assert statistics.auc(np.array([0.027, 0.028]), read, weights)[0] == 1
    assert math.isnan(statistics.auc(np.array([0.0, 0.027]), read, weights)[0])


def test_the_interval_is_the_bootstraps_and_holds_people_together():
    rng = np.random.default_rng(2)
    error = rng.normal(0, 0.2, 400)
    alone = Sample(np.zeros(400), error, np.arange(400))
    figure = estimate(statistics.mean_absolute_error, alone)
    half_width = 1.96 * np.abs(error).std() / 20
    assert figure.value == pytest.approx(np.abs(error).mean())
    assert (figure.high - figure.low) / 2 == pytest.approx(half_width, rel=0.1)
    # Every person four times over tells nothing new.
    fourfold = Sample(np.zeros(1600), np.repeat(error, 4), np.repeat(np.arange(400), 4))
    again = estimate(statistics.mean_absolute_error, fourfold)
    assert (again.low, again.high) == (pytest.approx(figure.low), pytest.approx(figure.high))


def test_one_person_has_no_interval_and_no_face_no_figure():
    one = estimate(statistics.bias, Sample(np.zeros(5), np.full(5, 0.1), np.zeros(5, int)))
    assert one.value == pytest.approx(0.1)
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert math.isnan(estimate(statistics.bias, Sample(np.zeros(0), np.zeros(0), np.zeros(0, int))).value)


def test_a_missed_face_counts_as_the_mean_and_is_counted():
    rows = [reading(t, t, f"{i}", group=f"{i}") for i, t in enumerate((0.0, 0.5, 1.0))]
    rows.append(reading(1.0, math.nan, "lost", group="lost", turn=math.nan))
    overall, by = result.summarise(rows)
    assert (overall.faces, overall.missed, overall.people) == (4, 1, 4)
    assert overall.mse.value == pytest.approx((1 - 0.625) ** 2 / 4)
    assert [(m.name, m.faces, m.missed) for m in by["truth"]] == [
        ("closed, below 0.05", 1, 0),
        ("half, 0.4 to 0.7", 1, 0),
        ("wide, from 0.7", 2, 1),
    ]
    assert [m.faces for m in by["turn"]] == [3]  # how far a face that was not found is turned is not known


# --- conditions


@pytest.mark.parametrize("degrees", [-60, -30, -10, 0, 20, 45])
@pytest.mark.parametrize("roll", [0, 40])
def test_head_turn_of_a_turned_head(degrees, roll):
    turn, tilt = math.radians(degrees), math.radians(roll)
    points = np.array(
        [(-0.5, 0, 0), (0.5, 0, 0), (0, 0.5, conditions.NOSE_DEPTH), (0, 1, 0.3), (-1, 0, -1), (1, 0, -1)]
    )
    across = points[:, 0] * math.cos(turn) + points[:, 2] * math.sin(turn)
    flat = np.stack([across, points[:, 1]], axis=1)
    rolled = flat @ np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
    face = Face((0, 0, 1, 1), (100 + 40 * rolled).astype(np.float32), 0.9)
    assert conditions.head_turn(face) == pytest.approx(abs(degrees), abs=0.01)


def test_size_sharpness_and_brightness():
    assert conditions.face_size(Face((5, 5, 40, 90), np.zeros((6, 2), np.float32), 0.9)) == pytest.approx(60)
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    blurred = cv2.GaussianBlur(noise, (9, 9), 2)
    assert conditions.sharpness(noise) > 20 * conditions.sharpness(blurred)
    assert conditions.brightness(np.full((60, 60, 3), 77, np.uint8)) == pytest.approx(77)


# --- which faces


def test_the_faces_chosen(tmp_path):
    rows = [{"file": f"{i}.jpg", "gap_ratio": 0.1, "set": s, "part": p} for i, (s, p) in enumerate(
        [("a", "test"), ("a", "train"), ("b", "train"), ("b", "train"), ("c", "test")]
    )]  # fmt: skip
    rows.append({"file": "mask.jpg", "set": "m", "part": "train", "note": "masked"})
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


# --- reliability


def test_leaving_out_what_is_unreliable_lowers_the_error():
    rng = np.random.default_rng(0)
    errors = rng.exponential(0.1, 400)
    rows = [
        reading(0.5, 0.5 + e, str(i), group=str(i), reliability=float(np.exp(-5 * e))) for i, e in enumerate(errors)
    ]
    rows.append(reading(0.5, math.nan, "lost"))
    judged = result.judge_reliability(rows, np.full(20, 1e-3))
    kept = np.sort(errors**2)
    assert judged.dropped[:2] == (0.0, 0.1)
    assert judged.mse[1].value == pytest.approx(kept[:360].mean()) == pytest.approx(judged.best[1])
    assert judged.mse[1].low < judged.mse[1].value < judged.mse[1].high < judged.mse[0].value
    assert judged.auc == 1
    assert len(judged.seen) == 400
    shuffled = [replace(r, reliability=float(v)) for r, v in zip(rows[:400], rng.random(400), strict=True)]
    assert result.judge_reliability(shuffled, np.zeros(0)).mse[1].value == pytest.approx(kept.mean(), rel=0.2)
    assert result.judge_reliability([reading(), reading()], np.zeros(0)) is None


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


# --- comparisons


def test_the_better_reading_wins_with_its_interval():
    rows, others = some_readings(error=0.05), some_readings(error=0.1, seed=0)
    compared = versus_rows(rows, others, "other")
    pair = compared.overall
    assert (pair.faces, compared.other) == (200, "other")
    assert pair.error_ratio.low > 2
    assert pair.difference.high < 0
    assert pair.difference.value == pytest.approx(pair.mse[0].value - pair.mse[1].value)
    assert pair.ratio[0].value == pytest.approx(result.summarise(rows)[0].ratio.value)
    geometric = math.sqrt(np.prod([p.error_ratio.value for p in compared.by["source"]]))
    assert compared.geometric.value == pytest.approx(geometric)
    same = versus_rows(rows, rows, "itself").overall
    assert (same.difference.value, same.difference.low, same.error_ratio.high) == (0, 0, 1)


def test_only_faces_in_common_with_the_same_truth_are_compared():
    rows = some_readings(20)
    assert versus_rows(rows, rows[5:], "part").overall.faces == 15
    with pytest.raises(DataError, match="no face in common"):
        versus_rows(rows, [reading(file="stranger")], "other")
    with pytest.raises(DataError, match=r"0\.jpg: its label is"):
        versus_rows(rows, [replace(rows[0], truth=0.123)], "other")


def test_the_landmarker_is_compared_on_peoples_labels_and_a_face_it_missed_counts_as_the_mean():
    rows = [reading(t, t, str(i), group=str(i), landmarker=t) for i, t in enumerate((0.0, 0.2, 0.4, 1.0))]
    rows[3] = replace(rows[3], landmarker=math.nan)
    rows.append(reading(0.9, 0.1, "model", by_people=False, landmarker=0.9))
    compared = versus_landmarker(rows)
    assert (compared.overall.faces, compared.overall.missed) == (4, (0, 1))
    assert compared.overall.mse[1].value == pytest.approx((1 - 0.4) ** 2 / 4)
    assert versus_landmarker([replace(row, landmarker=math.nan) for row in rows]) is None


def test_the_gap_ratio_of_a_mesh():
    mesh = np.zeros((478, 2))
    for corner, x in zip((33, 133, 362, 263), (10, 30, 70, 90), strict=True):
        mesh[corner] = (x, 40)
    for upper, lower, gap in ((13, 14, 9), (82, 87, 6), (312, 317, 6)):
        mesh[upper], mesh[lower] = (50, 80), (50, 80 + gap)
    assert gap_ratio(mesh) == pytest.approx(7 / 60)


@pytest.mark.skipif(find_spec("mediapipe") is not None, reason="mediapipe is installed")
def test_the_landmarker_without_mediapipe_is_told(folder, tmp_path):
    with pytest.raises(MissingExtraError, match=r"mouth-live\[mediapipe\]"):
        read_landmarks(subjects.choose(folder), [], tmp_path / "none.task")


# --- JSON and page


def test_json_round_trip_and_comparing_reports(tmp_path, mouth_live):
    for name, error in (("one", 0.05), ("two", 0.1)):
        rows = [*some_readings(60, error), reading(0.3, math.nan, "lost", turn=math.nan)]
        overall, by = result.summarise(rows)
        report = result.Evaluation(name, "", "", "faces", (), overall, by, None, (), tuple(rows))
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
    judged = result.judge_reliability(rows, np.zeros(3))
    report = result.Evaluation(
        "<b>", "", "", "d", ("TRAINED ON: a & b",), overall, by, judged, (versus_landmarker(rows),), tuple(rows)
    )
    page = as_page(report, worst_faces(rows, None, []))
    assert "&lt;b&gt;" in page
    assert "<b></b>" not in page
    assert "TRAINED ON: a &amp; b" in page
    told = Page(page).text
    assert f"reliability {min(rows, key=lambda r: -abs(r.value - r.truth)).reliability:.2f}" in told
    assert "3 covered faces" in told
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
        (("openness_reference",), "on which faces? tell with --data"),
        (("nonsense", "--data", "faces"), "no weights named 'nonsense'"),
        (("openness_reference", "--data", "nowhere"), "cannot read it"),
        (("openness_reference", "--data", "faces", "--html", "no/such/page.html"), "no such folder"),
        (("openness_reference", "--data", "faces", "--compare", "gone.json"), "gone.json: cannot read it"),
    ],
)
def test_what_goes_wrong_is_one_line(folder, mouth_live, arguments, said):
    done = mouth_live("evaluate", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_compare_with_another_network_reads_the_same_faces(folder):
    report = evaluate("openness_reference", Choice(folder, compare="openness_reference")).report
    assert report.versus[-1].overall.difference.value == 0
    assert report.versus[-1].overall.missed == (1, 1)
    assert versus(report.faces, [r.truth for r in report.faces], "truth", "").overall.mse[1].value == 0
    assert Path(report.data) == folder

"""The page of ``mouth-live report`` in a browser: what a click, the wheel and the keys do, and how fast it is."""

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from browser import PROGRAM, browser
from test_report import HEADER, some_frames, written

from mouth_live.realtime.commands.cli import cli

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs chromium")

READY = "!!window.report"
RANGE = "[report.chart.range.start, report.chart.range.end]"
SHOWN = "[...document.querySelectorAll('.label b')].map(name => name.textContent)"


def report(folder: Path, *arguments: object) -> None:
    """Run the command in this process."""
    with contextlib.chdir(folder):
        cli.main(["report", *map(str, arguments)], "mouth-live", standalone_mode=False)


@pytest.fixture(scope="module")
def window():
    with browser() as page:
        yield page


@pytest.fixture(scope="module")
def demo(demo_clip, tmp_path_factory):
    """The demo, its table and its page."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(demo_clip, folder / "talk.mp4")
    process = [sys.executable, "-m", "mouth_live.realtime", "process", "talk.mp4"]
    subprocess.run(process, cwd=folder, check=True, capture_output=True, timeout=120)
    report(folder, "talk.csv")
    return folder / "talk.report.html"


def test_a_face_of_one_frame_is_a_line_and_a_bar(window, tmp_path):
    header = "frame,timestamp,face_id,confidence,success,x,y,width,height,openness_raw,openness,active,reliability\n"
    face = "0.9000,1,10.0,10.0,50.0,50.0,0.5000,0.5000,1,0.9000\n"
    for name, rows in (
        ("one", f"0,0.000000,0,{face}"),
        ("middle", f"0,0.000000,,,0,,,,,,,,\n1,0.040000,0,{face}2,0.080000,,,0,,,,,,,,\n"),
    ):
        (tmp_path / f"{name}.csv").write_text(header + rows)
        report(tmp_path, f"{name}.csv")
        window.open(tmp_path / f"{name}.report.html", READY)
        line = window.value("report.chart.smoothLines.source.data.xs[0].filter((_, i) =>"
                            "!Number.isNaN(report.chart.smoothLines.source.data.ys[0][i]))")  # fmt: skip
        assert len(line) == 2 and line[1] - line[0] == pytest.approx(0.04)
        bars = window.value("(({left, right}) => [[...left], [...right]])(report.chart.bars.source.data)")
        assert bars == [[pytest.approx(line[0])], [pytest.approx(line[1])]]


@pytest.fixture
def page(window, demo):
    """The demo's page, just opened. At the end nothing was complained of or asked for but files."""
    window.requests.clear()
    window.complaints.clear()
    window.open(demo, f"{READY} && report.player.playable")
    yield window
    assert window.value("1") == 1  # all that was said until now has arrived
    assert window.complaints == []
    wanted = {demo.as_uri(), demo.with_name("talk.mp4").as_uri()}
    assert {url for url in window.requests if not url.startswith("data:")} == wanted


def place(page, share, lane=0.5):
    """Where on the screen a share (0..1) of the visible time is, in the first lane."""
    left, top, width, height = page.value(
        "(({left, top}) => [left, top + 26, report.chart.pixels, report.chart.laneHeight])"
        "(document.getElementById('plot').getBoundingClientRect())"
    )
    return left + share * width, top + lane * height


def test_a_click_on_a_curve_seeks_the_video(page):
    page.click(*place(page, 0.5))
    page.wait("!report.player.video.seeking && report.player.time > 0")
    start, end = page.value(RANGE)
    wanted = (start + end) / 2
    assert page.value("report.player.time") == pytest.approx(wanted, abs=0.02)
    assert page.value("report.player.video.currentTime") == pytest.approx(wanted, abs=0.05)
    x = page.value("document.getElementById('cursor').getBoundingClientRect().x")
    assert x == pytest.approx(place(page, 0.5)[0], abs=2)
    frame = page.value("report.chart.frameAt(report.player.time)")
    value = page.value(f"report.faces[0].value({frame})")
    page.mouse("mouseMoved", 5, 5)
    page.wait(f"document.querySelector('.label output').textContent === '{value:.2f}'")


def test_while_the_video_plays_the_cursor_moves_and_the_view_follows(page):
    page.value("report.chart.view(0, 0.5)")
    page.key(" ", " ")
    page.wait("report.player.time > 0.7")
    assert page.value("document.getElementById('play').textContent") == "Pause"
    assert page.value("report.chart.range.start") > 0.3
    page.key(" ", " ")
    page.wait("report.player.video.paused")
    page.wait("document.getElementById('play').textContent === 'Play'")


def test_wheel_and_drag_change_what_is_shown(page):
    whole = page.value(RANGE)
    x, y = place(page, 0.25)
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240)
    page.wait(f"report.chart.range.end - report.chart.range.start < {0.95 * (whole[1] - whole[0])}")
    start, end = page.value(RANGE)
    assert 0.25 * whole[1] == pytest.approx(start + 0.25 * (end - start), abs=0.02)  # what is under the pointer stays
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    for step in range(1, 6):
        page.mouse("mouseMoved", x - 10 * step, y, button="left", buttons=1)
    page.mouse("mouseReleased", x - 50, y, button="left", clickCount=1)
    page.wait(f"report.chart.range.start > {start}")
    moved = page.value(RANGE)
    assert moved[1] - moved[0] == pytest.approx(end - start)
    for _ in range(20):
        page.mouse("mouseWheel", x, y, deltaX=0, deltaY=600)
    page.wait(f"Math.abs(report.chart.range.end - {whole[1]}) < 0.001 && report.chart.range.start === {whole[0]}")


def test_the_keys(page):
    whole = page.value(RANGE)
    page.key("+", "+")
    assert np.diff(page.value(RANGE)) == pytest.approx(np.diff(whole) / 1.5)
    page.key("-", "-")
    assert page.value(RANGE) == pytest.approx(whole)
    page.key("ArrowRight")
    page.key("ArrowRight")
    page.key("ArrowLeft")
    assert page.value("report.player.time") == pytest.approx(1)
    page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", modifiers=8)  # shift
    assert page.value("report.player.time") == pytest.approx(page.value("report.times[report.chart.frameAt(1) + 1]"))
    for _ in range(30):
        page.key("+", "+")
    assert 0.1 < np.diff(page.value(RANGE)) < 0.3  # it ends at a few frames
    page.key("0", "0")
    assert page.value(RANGE) == pytest.approx(whole)
    page.key("Home")
    starts = page.value("[...report.faces[0].active, ...report.faces[0].opened].filter((_, i) => i % 2 === 0).sort()")
    page.key("n", "n")
    assert page.value("report.player.time") == pytest.approx(min(starts))
    page.key("n", "n")
    page.key("p", "p")
    assert page.value("report.player.time") == pytest.approx(min(starts))
    page.key("r", "r")
    assert page.value("report.chart.rawLines.source.data.xs[0].length") > 100
    assert page.value("document.getElementById('raw').getAttribute('aria-pressed')") == "true"


def test_activity_is_an_area_with_its_limit_and_can_be_hidden(page):
    area = "(({xs, ys}) => [Array.from(xs[0]), Array.from(ys[0])])(report.chart.activityAreas.source.data)"
    xs, ys = (np.array(one, float) for one in page.value(area))
    base = page.value("report.chart.height(0, 0)")
    frames = page.value(
        "Array.from(report.times, (_, frame) => report.faces[0].value(frame, report.faces[0].activity) ?? -1)"
    )
    assert max(frames) > 0.5  # it talks
    assert np.nanmax(ys) == pytest.approx(page.value(f"report.chart.height(0, {max(frames)})"))
    runs = np.split(np.arange(len(xs)), np.flatnonzero(np.isnan(ys)))
    ends = [(ys[run[~np.isnan(ys[run])][[0, -1]]]).tolist() for run in runs if (~np.isnan(ys[run])).any()]
    assert ends == [[pytest.approx(base)] * 2] * len(ends)
    limit = page.value("report.chart.activityLimits.source.data.ys[0]")
    assert limit == pytest.approx([page.value("report.chart.height(0, 0.5)")] * 2)
    at_cursor = "document.querySelector('.label small').textContent"
    page.value(f"report.player.go(report.times[{int(np.argmax(frames))}])")
    page.wait(f"{at_cursor} === 'activity {max(frames):.2f}'")
    drawn = "report.chart.activityAreas.source.data.xs.length"
    on_paper = "document.querySelectorAll('#paper path[fill-opacity=\"0.2\"]').length"
    paper = f"dispatchEvent(new Event('beforeprint')), {on_paper}"
    assert (page.value(drawn), page.value(paper)) == (1, 1)
    page.key("a", "a")
    assert (page.value(drawn), page.value(paper)) == (0, 0)
    assert page.value(at_cursor) == ""
    page.value("document.getElementById('activity').click()")
    assert page.value(drawn) == 1
    page.value("dispatchEvent(new Event('afterprint'))")


def test_a_table_without_activity_offers_none(window, tmp_path):
    window.complaints.clear()
    written(tmp_path / "old.csv", some_frames())
    report(tmp_path, "old.csv")
    window.open(tmp_path / "old.report.html", READY)
    shown = "[...document.querySelectorAll('#activity, .key.activity')].map(one => getComputedStyle(one).display)"
    assert window.value(shown) == ["none", "none"]
    window.key("a", "a")
    assert window.value("report.chart.activityLimits.source.data.xs.length") == 0
    assert window.value("document.querySelector('.label small').textContent") == ""
    assert window.complaints == []


def test_dark_light_and_paper(page):
    ink = "getComputedStyle(document.body).color"
    seen = set()
    for scheme in ("dark", "light"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.wait(f"report.chart.dark === {str(scheme == 'dark').lower()}")
        seen.add((page.value(ink), page.value("report.chart.smoothLines.source.data.color[0]")))
    assert len(seen) == 2
    page.value("dispatchEvent(new Event('beforeprint'))")
    assert page.value("document.querySelectorAll('#paper svg path').length") > 5
    page.value("dispatchEvent(new Event('afterprint'))")


def test_a_face_can_be_left_out(page):
    assert page.value(SHOWN) == ["Face 0"]
    page.value("document.querySelector('input[data-face]').click()")
    assert page.value(SHOWN) == []
    page.value("document.querySelector('input[data-face]').click()")
    assert page.value(SHOWN) == ["Face 0"]


def test_a_video_that_is_gone_is_said_plainly(window, demo, tmp_path):
    shutil.copy(demo, tmp_path / "talk.report.html")
    window.open(tmp_path / "talk.report.html", READY)
    window.wait("document.getElementById('videotext').textContent !== ''")
    assert window.value("document.getElementById('videotext').textContent").startswith("talk.mp4 cannot be shown: ")
    assert window.value("document.getElementById('play').disabled")
    window.key("ArrowRight")
    assert window.value("report.player.time") == 1  # the cursor goes on without it


def test_the_page_can_reach_nothing(window, demo):
    window.open(demo, READY)
    window.requests.clear()
    tries = (
        "fetch('http://127.0.0.1:9/a').then(() => 1, () => 0)",
        "new Promise(done => {const image = new Image(); image.onload = () => done(1); image.onerror = () => done(0);"
        "image.src = 'http://127.0.0.1:9/a.png'})",
        "new Promise(done => {const video = document.createElement('video'); video.onerror = () => done(0);"
        "video.src = 'http://127.0.0.1:9/a.mp4'})",
        "new Promise(done => {const script = document.createElement('script'); script.onerror = () => done(0);"
        "script.src = 'talk.js'; document.body.append(script)})",
    )
    assert [window.value(code) for code in tries] == [0, 0, 0, 0]
    assert len([text for text in window.complaints if "Content Security Policy" in text]) >= len(tries)


def test_a_table_without_a_video_or_a_face(window, tmp_path):
    window.complaints.clear()
    written(tmp_path / "none.csv", [{} for _ in range(20)])
    written(tmp_path / "one.csv", [{4: (0.5, 1, 0.9)}])
    for name in ("none", "one"):
        report(tmp_path, f"{name}.csv")
        window.open(tmp_path / f"{name}.report.html", READY)
        assert window.value("document.getElementById('aside').hidden")
        for key in ("+", "-", "n", "p", "r", " ", "End", "ArrowLeft", "0"):
            window.key(key)
    assert window.complaints == []


def test_of_many_faces_those_seen_longest_are_shown(window, tmp_path):
    frames = [{face: (0.2, 0, 0.9) for face in range(40) if face % 3 == 0 or i == face} for i in range(60)]
    written(tmp_path / "many.csv", frames)
    report(tmp_path, "many.csv")
    window.open(tmp_path / "many.report.html", READY)
    assert window.value(SHOWN) == [f"Face {face}" for face in range(0, 36, 3)]
    assert "12 faces seen longest" in window.value("document.getElementById('few').textContent")
    assert window.value("document.querySelectorAll('input[data-face]').length") == 40


def test_the_index_leads_to_each_report(window, tmp_path):
    window.requests.clear()
    window.complaints.clear()
    for name in "abcdefghij":
        written(tmp_path / "tables" / f"{name} talk.csv", some_frames())
    report(tmp_path, "tables", "-o", "pages")
    window.open(tmp_path / "pages" / "index.html", "document.querySelectorAll('li').length === 10")
    window.value(
        "(() => {const field = document.querySelector('input'); field.value = 'C T';"
        "field.dispatchEvent(new Event('input'))})()"
    )
    shown = "[...document.querySelectorAll('li:not([hidden]) a')].map(link => link.textContent)"
    assert window.value(shown) == ["c talk"]
    assert window.value("document.querySelector('li:not([hidden]) a').href") == (
        (tmp_path / "pages" / "c talk.report.html").as_uri()
    )
    assert window.complaints == []


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """The page of an hour with 8 faces, 90,000 frames each; face 2 opens its mouth in a single one."""
    folder = tmp_path_factory.mktemp("hour")
    frames, faces = 90_000, 8
    rng = np.random.default_rng(0)
    talk = np.repeat(rng.random((frames // 100, faces)) < 0.35, 100, axis=0)
    values = np.clip(np.abs(rng.normal(0, 0.4, (frames, faces))) * talk + 0.02, 0, 1)
    values[:, 2], talk[:, 2] = 0.02, False
    values[54_321, 2] = 1
    row = "{},{:.6f},{},0.9000,1,10.0,10.0,50.0,50.0,{:.4f},{:.4f},{:d},0.9000\n".format
    with (folder / "hour.csv").open("w") as file:
        file.write(HEADER)
        for i, (levels, flags) in enumerate(zip(values.tolist(), talk.tolist(), strict=True)):
            file.writelines(row(i, i / 25, face, levels[face], levels[face], flags[face]) for face in range(faces))
    report(folder, "hour.csv")
    return folder / "hour.report.html"


@pytest.mark.slow
def test_an_hour_of_eight_faces_opens_at_once(window, hour):
    window.complaints.clear()
    window.open(hour, READY)  # the files are read into memory
    assert window.open(hour, READY) < 3
    assert window.value(SHOWN) == [f"Face {face}" for face in range(8)]
    assert window.complaints == []
    assert hour.stat().st_size < 5e6


@pytest.mark.slow
def test_an_hour_is_drawn_by_what_the_screen_shows(window, hour):
    window.open(hour, READY)
    pixels = window.value("report.chart.pixels")
    points = "report.chart.smoothLines.source.data.xs.map(line => line.length)"
    highest = "Math.max(...report.chart.smoothLines.source.data.ys[2].map(y => Number.isNaN(y) ? 0 : y)) - 5"
    for _ in range(12):
        assert max(window.value(points)) <= 2 * pixels + 4
        assert window.value(highest) == pytest.approx(0.92, abs=0.001)  # the single frame is still seen
        window.value("report.chart.zoom(0.5, 54321 / 25)")
        window.value("report.chart.range.start < 54321 / 25 && report.player.go(54321 / 25)")
    start, end = window.value(RANGE)
    shown = np.count_nonzero((np.arange(90_000) / 25 >= start) & (np.arange(90_000) / 25 <= end))
    assert shown <= max(window.value(points)) <= shown + 3  # close enough, each frame is a point
    start = time.perf_counter()
    window.value("(() => {for (let i = 0; i < 100; i++) report.chart.draw()})()")
    assert (time.perf_counter() - start) / 100 < 0.05

"""The live page and the page for OBS in a browser, with a clip as the camera."""

import base64
import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from browser import PROGRAM, browser
from conftest import COMMAND
from held_clip import write_clip
from served import program
from talking import free_port
from timed_program import read_notes

from mouth_live.realtime.lips.limits import activity_score

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs chromium")

OPEN = 0.6  # what the clip's mouth is held at
SEEN = "!!window.live && live.faces.get(0)?.last !== undefined"
MOUTH = "Math.max(0, ...[...obs.mouths.values()].map(mouth => mouth.open))"


@pytest.fixture(scope="module")
def window():
    with browser() as page:
        yield page


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("held") / "held.mp4", OPEN, seconds=240)


@pytest.fixture(scope="module")
def served(clip, tmp_path_factory):
    """A running program; :func:`start` and :func:`stop` start and end it at the same port."""
    served = SimpleNamespace(folder=tmp_path_factory.mktemp("served"), port=free_port(), clip=clip, process=None)
    served.address = f"http://127.0.0.1:{served.port}/"
    start(served)
    yield served
    stop(served)


def start(served):
    options = ["--camera", served.clip, "--port", served.port, "--save", "desk.toml", "--to", "udp://127.0.0.1:9"]
    command = [*COMMAND, "serve", *map(str, options)]
    environment = os.environ | {"MOUTH_LIVE_CONFIG": str(served.folder)}
    served.process = subprocess.Popen(command, cwd=served.folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert any("for OBS" in line for line in iter(served.process.stderr.readline, ""))


def stop(served, how=signal.SIGTERM):
    served.process.send_signal(how)
    served.process.communicate(timeout=10)


@pytest.fixture
def page(window, served):
    """The live page, just opened. At the end nothing was complained of, or asked for from elsewhere."""
    window.requests.clear()
    window.complaints.clear()
    window.go(served.address, SEEN)
    yield window
    assert window.value("1") == 1  # all that was said until now has arrived
    assert window.complaints == []
    assert {url for url in window.requests if not url.startswith(served.address)} == set()


def text(page, selector):
    return page.value(f"document.querySelector('{selector}').textContent")


def slide(page, name, value):
    page.value(f"(() => {{const s = document.getElementById('{name}'); s.value = {value}; "
               "s.dispatchEvent(new Event('input'))})()")  # fmt: skip


def test_the_page_shows_the_picture_the_value_and_the_events(page):
    page.wait("live.stage.shown?.image && live.stage.frames.has(live.stage.shown.index)")
    index = page.value("live.stage.shown.index")
    assert page.value(f"live.stage.frames.get({index})[0].frame") == index  # the box is of the very frame
    page.wait("document.querySelector('.lane .light').dataset.on === 'open'")
    assert float(text(page, ".lane .value")) == pytest.approx(OPEN, abs=0.25)
    assert text(page, "#log li span:last-child") == "mouth opens"
    page.wait("Number(document.getElementById('rate').textContent) > 5")
    assert text(page, "#outputs .state") in ("sending", "waiting for an answer")
    assert "Face 0" in page.value("document.querySelector('.lane canvas').getAttribute('aria-label') ?? 'Face 0'")
    unnamed = "[...document.querySelectorAll('input')].filter(one => !one.labels.length).map(one => one.id)"
    assert page.value(unnamed) == []


def test_a_take_has_the_values_that_the_page_shows(page, served):
    page.value("window.seen = []; const take = live.link.handlers.value;"
               "live.link.handlers.value = (one) => {seen.push(one.openness); take(one)}")  # fmt: skip
    page.key("r", "r")
    page.wait("live.controls.state.take !== ''")
    page.wait("seen.length > 12")
    page.value("document.getElementById('record').click()")
    page.wait("/mp4 saved in/.test(document.getElementById('recorded').textContent)")
    table, video = re.match(r"(take-\S+\.csv) and (take-\S+\.mp4) saved in", text(page, "#recorded")).groups()
    with (served.folder / table).open() as file:
        written = [float(row["openness"]) for row in csv.DictReader(file)]
    seen = page.value("seen")
    first = next(at for at in range(len(seen)) if seen[at : at + len(written)] == written[: len(seen) - at])
    assert len(written) - (len(seen) - first) <= 2  # the last ones may be on their way
    assert cv2.VideoCapture(str(served.folder / video)).get(cv2.CAP_PROP_FRAME_COUNT) == len(written)


def test_a_slider_acts_at_once_and_is_saved(page, served):
    page.wait("live.faces.get(0).isOn('open')")
    slide(page, "open-off", 0.95)
    page.wait("!live.faces.get(0).isOn('open')")  # the upper level went along
    assert page.value("document.getElementById('open-on').value") == "0.95"
    slide(page, "smooth", 0)
    page.key("s", "s")
    page.wait("document.getElementById('saved').textContent === 'saved in desk.toml'")
    assert "on = 0.95\noff = 0.95\n" in (served.folder / "desk.toml").read_text()
    page.value("document.getElementById('reset').click()")
    page.wait("live.faces.get(0).isOn('open') && document.getElementById('open-on').value === '0.5'")


def test_limits_of_movement_are_shown_as_the_activity_of_tables_too(page):
    hint = "document.querySelector('#limits small').textContent"
    for on, off in ((0.2, 0.03), (0.6, 0.13)):
        slide(page, "activity-on", on)
        slide(page, "activity-off", off)
        assert page.value(hint).endswith(f" in tables: {activity_score(on):.2f} and {activity_score(off):.2f}")
    page.value("document.getElementById('reset').click()")
    page.wait(f"{hint}.endsWith(' 0.50 and 0.13')")


@pytest.mark.slow
def test_with_many_faces_the_sliders_are_on_the_screen_and_the_lanes_scroll(window, tmp_path):
    clip = write_clip(tmp_path / "eight.mp4", OPEN, seconds=60, rate=5, grid=(2, 4))
    with program(tmp_path, "--camera", clip) as served:
        window.call("Emulation.setDeviceMetricsOverride", width=1280, height=720, deviceScaleFactor=1, mobile=False)
        window.go(served.address, "!!window.live && document.querySelectorAll('.lane').length === 8")
        lowest = "Math.max(...[...document.querySelectorAll('.limits input, .limits button')].map(one => "
        assert window.value(f"{lowest}one.getBoundingClientRect().bottom))") <= 720
        assert window.value("lanes.clientHeight >= 2 * document.querySelector('.lane').clientHeight")
        window.value("lanes.scrollTo(0, lanes.scrollHeight)")
        last = "document.querySelector('.lane:last-child').getBoundingClientRect().bottom"
        assert window.value(f"{last} <= Math.ceil(lanes.getBoundingClientRect().bottom)")
        assert window.value("scrollY") == 0
        window.call("Emulation.clearDeviceMetricsOverride")


def test_calibrating_shows_what_to_do(page):
    page.key("c", "c")
    page.wait("/^keep your mouth closed: [45] s$/.test(document.getElementById('calibration').textContent)")
    assert not page.value("document.getElementById('guide').hidden")
    assert page.value("document.querySelectorAll('#guideface svg').length") == 1


def test_dark_light_and_phone(page):
    colours = set()
    for scheme in ("dark", "light"):
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        colours.add(page.value("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    for wide in (360, 3840):
        page.call("Emulation.setDeviceMetricsOverride", width=wide, height=800, deviceScaleFactor=1, mobile=False)
        assert page.value("document.documentElement.scrollWidth") <= wide
    page.call("Emulation.clearDeviceMetricsOverride")


def test_a_page_elsewhere_can_reach_nothing(window, served):
    window.go("data:text/html,<title>evil</title>", "true")
    tries = (
        f"fetch('{served.address}', {{mode: 'no-cors'}}).then(answer => answer.type === 'opaque' ? 0 : 1, () => 0)",
        f"fetch('{served.address}').then(() => 1, () => 0)",
        f"new Promise(done => {{const s = new WebSocket('{served.address.replace('http', 'ws')}ws');"
        "s.onmessage = () => done(1); s.onerror = () => done(0)})",
        f"new Promise(done => {{const i = new Image(); i.onload = () => done(1); i.onerror = () => done(0);"
        f"i.src = '{served.address}icon.svg'}})",
    )
    assert [window.value(code) for code in tries] == [0, 0, 0, 0]


def test_obs_is_transparent_and_the_mouth_follows(window, served):
    window.complaints.clear()
    window.call("Emulation.setDefaultBackgroundColorOverride", color={"r": 0, "g": 0, "b": 0, "a": 0})
    for style in ("", "?style=bar", "?style=glow", "?face=largest&mirror=1", "?face=0"):
        window.go(f"{served.address}obs{style}", "!!window.obs && obs.mouths.size === 1")
        window.wait(f"{MOUTH} > {OPEN - 0.25}")
        png = base64.b64decode(window.call("Page.captureScreenshot", format="png")["data"])
        alpha = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
        assert alpha.max() == 255, style
        assert np.mean(alpha == 0) > 0.1, style
    window.call("Emulation.setDefaultBackgroundColorOverride")
    window.go(f"{served.address}obs?face=7", "!!window.obs && obs.mouths.size === 1")
    assert window.value(MOUTH) == 0  # there is no such face
    assert window.complaints == []


def test_obs_turns_the_avatar_left_to_right_and_upside_down(window, served):
    def shown(options):
        window.go(f"{served.address}obs?face=7{options}", "!!window.obs && obs.mouths.size === 1")
        return window.value("(() => {const at = (name) => document.querySelector(name).getBoundingClientRect();"
                            "const eye = at('.lids circle'), mouth = at('.tongue'), middle = innerWidth / 2;"
                            "const whole = at('.avatar svg'), near = whole.height / 10;"
                            "const inside = whole.top > -near && whole.bottom < innerHeight + near;"
                            "return inside && [eye.x + eye.width / 2 < middle, eye.y < mouth.y]})()")  # fmt: skip

    assert shown("") == [True, True]  # the first eye is on the left, and the eyes are above the mouth
    assert shown("&mirror=1") == [False, True]
    assert shown("&flip=1") == [True, False]
    assert shown("&mirror=1&flip=1") == [False, False]


@pytest.mark.slow
def test_the_mouth_of_obs_is_closed_soon_after_its_face_is_lost(window, tmp_path):
    rate, seconds = 25, (2.0, 0.8, 1.2, 0.8, 1.2, 0.8)
    clip = write_clip(tmp_path / "lost.mp4", *(0.9, None) * 3, seconds=seconds, rate=rate)
    program = [sys.executable, Path(__file__).parent / "timed_program.py", tmp_path / "notes"]
    command = [*map(str, program), "serve", "--camera", str(clip), "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in iter(process.stderr.readline, "") if "OBS: " in line)
        window.go(line.split()[-1], "!!window.obs")
        window.value("window.shut = []; let most = 0; const look = () => {requestAnimationFrame(look);"
                     f"const open = {MOUTH}; if (most > 0.5 && open < 0.05) shut.push(Date.now());"
                     "most = open < 0.05 ? 0 : Math.max(most, open)}; look()")  # fmt: skip
        process.communicate(timeout=30)
    shut, handed_out = window.value("shut"), read_notes(tmp_path / "notes")
    lost = [handed_out[round(rate * sum(seconds[:end]))] for end in (1, 3, 5)]
    found = [next((after - time for after in shut if time < after < time + 800), None) for time in lost]
    delays = [delay for delay in found if delay is not None]
    assert len(delays) >= 2, found  # where the machine is busy, the page may have come after the first
    assert median(delays) < 300, found


@pytest.mark.slow
def test_the_mouth_of_obs_stays_open_between_the_frames_of_a_slow_camera(window, tmp_path):
    clip = write_clip(tmp_path / "slow.mp4", 0.9, seconds=6, rate=4)
    command = [*COMMAND, "serve", "--camera", str(clip), "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in iter(process.stderr.readline, "") if "OBS: " in line)
        window.go(line.split()[-1], f"!!window.obs && {MOUTH} > 0.7")
        time.sleep(1)  # until the rate is known
        window.value("window.seen = []; const look = () => {requestAnimationFrame(look);"
                     f"seen.push({MOUTH})}}; look()")  # fmt: skip
        time.sleep(1.5)
        assert window.value("seen.filter(open => open > 0.7).length / seen.length") > 0.9
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.slow
def test_both_pages_close_the_mouth_and_come_back_when_the_program_does(window, served):
    window.go(f"{served.address}obs", f"!!window.obs && {MOUTH} > 0.3")
    window.value("window.run = performance.timeOrigin; window.shut = null; const look = () => {"
                 f"if (!obs.link.connected && {MOUTH} < 0.05) shut ??= performance.now() - lost;"
                 "requestAnimationFrame(look)}; const end = obs.link.handlers.lost;"
                 "obs.link.handlers.lost = () => {window.lost ??= performance.now()}; look()")  # fmt: skip
    stop(served, signal.SIGKILL)
    window.wait("window.shut !== null")
    assert window.value("window.shut") < 300
    start(served)
    window.wait(f"{MOUTH} > 0.3")
    window.go(served.address, SEEN)
    stop(served)
    window.wait("document.body.dataset.connection === 'lost'")
    assert text(window, "#connection").startswith("mouth-live has ended")
    time.sleep(0.1)
    start(served)
    window.wait("document.body.dataset.connection === 'live' && !!live.stage.shown?.image")


def test_without_a_picture_the_page_says_so(window, clip, tmp_path):
    options = ["--camera", clip, "--port", "0", "--no-picture", "--kind", "open"]
    command = [*COMMAND, "serve", *map(str, options)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        line = next(line for line in iter(process.stderr.readline, "") if "page: " in line)
        window.go(line.split()[-1], SEEN)
        assert not window.value("document.getElementById('nopicture').hidden")
        window.wait("live.stage.shown !== null")
        assert window.value("live.stage.shown.image") is None
        assert window.value("document.querySelectorAll('#limits fieldset').length") == 1
        assert window.value("document.getElementById('save').disabled")
        process.terminate()
        process.communicate(timeout=10)

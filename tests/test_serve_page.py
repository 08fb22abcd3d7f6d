"""The live page and the page for OBS in a browser, with a clip as the camera."""

import base64
import csv
import os
import re
import signal
import subprocess
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from browser import PROGRAM, browser
from conftest import COMMAND
from held_clip import write_clip
from talking import free_port

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


def test_both_pages_close_the_mouth_and_come_back_when_the_program_does(window, served):
    window.go(f"{served.address}obs", f"!!window.obs && {MOUTH} > 0.3")
    window.value("window.run = performance.timeOrigin; window.shut = null; const look = () => {"
                 f"if (!obs.link.connected && {MOUTH} < 0.05) shut ??= performance.now() - lost;"
                 "requestAnimationFrame(look)}; const end = obs.link.handlers.lost;"
                 "obs.link.handlers.lost = () => {window.lost ??= performance.now()}; look()")  # fmt: skip
    stop(served, signal.SIGKILL)
    window.wait("window.shut !== null")
    assert window.value("window.shut") < 350
    start(served)
    window.wait(f"{MOUTH} > 0.3")
    window.go(served.address, SEEN)
    stop(served)
    window.wait("document.body.dataset.connection === 'lost'")
    assert text(window, "#connection") == "mouth-live does not answer; trying again"
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

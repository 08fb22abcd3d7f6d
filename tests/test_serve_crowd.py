"""Ten pages at once cost the capture nothing, and pages of other origins that the user has open get nothing."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser import PROGRAM, browser
from held_clip import write_clip
from served import page, program

PAGES = 10
REBOUND = "evil.example"  # a name that the attacker points at this machine
BROWSER_HAS = pytest.mark.skipif(PROGRAM is None, reason="needs chromium")

ATTACK = """
const from = 'http://127.0.0.1:PORT/';
const tag = (name, attributes) => new Promise((done) => {
  const one = Object.assign(document.createElement(name), attributes);
  one.onload = () => done('got it'); one.onerror = () => done('nothing');
  document.head.append(one);
});
const socket = (address) => new Promise((done) => {
  const one = new WebSocket(address);
  one.onopen = () => done('got it'); one.onerror = () => done('nothing');
});
const no = () => 'nothing', yes = () => 'got it';
window.tries = {
  cors: fetch(from).then(yes, no),
  opaque: fetch(from + 'live.js', {mode: 'no-cors'}).then(yes, no),
  post: fetch(from, {method: 'POST', mode: 'no-cors', body: 'x'}).then(yes, no),
  script: tag('script', {src: from + 'link.js'}), module: import(from + 'link.js').then(yes, no),
  style: tag('link', {rel: 'stylesheet', href: from + 'live.css'}), image: tag('img', {src: from + 'icon.svg'}),
  socket: socket(from.replace('http', 'ws') + 'ws'),
};
"""


@contextlib.contextmanager
def attacker(port):
    """A page of another origin, another port of this machine, that tries all it can; its port."""

    class Evil(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><body><script>{ATTACK.replace('PORT', str(port))}</script>".encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Evil) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("held") / "held.mp4", 0.6, seconds=120)


@BROWSER_HAS
@pytest.mark.slow
def test_a_page_of_another_origin_gets_nothing(clip, tmp_path):
    rebound = f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"
    with (
        program(tmp_path, "--camera", clip) as served,
        attacker(served.port) as port,
        browser(900, 700, rebound) as window,
    ):
        results = "Promise.all(Object.entries(tries).map(async ([name, one]) => [name, await one]))"
        for host in ("127.0.0.1", "localhost", REBOUND):  # of the same site, of another, and of a name of its own
            window.go(f"http://{host}:{port}/", "!!window.tries")
            found = dict(window.value(results))
            assert len(found) == 8
            assert set(found.values()) == {"nothing"}, (host, found)
        # DNS rebinding: the attacker's name and the program's port, so all is of one origin.
        for path in ("", "obs", "live.js"):
            window.go(f"http://{REBOUND}:{served.port}/{path}", "true")
            assert "mouth" not in window.value("document.documentElement.outerHTML").lower()
        code = "fetch('/').then(answer => answer.status + ' ' + answer.headers.get('server')).catch(String)"
        window.go(f"http://{REBOUND}:{port}/", "true")
        assert not window.value(code).startswith("403")  # the attacker's own page answers
        window.go(served.address, "!!window.live && live.faces.size > 0")  # and the program's own works


def eat(connection, counts, number, stop):
    """Take all as a page does: ask for the next picture when one has come."""
    connection.send('{"type": "picture"}')
    while not stop.is_set():
        message = connection.recv(timeout=10)
        if isinstance(message, bytes):
            counts[number] += 1
            connection.send('{"type": "picture"}')


@pytest.mark.slow
def test_ten_pages_at_once_cost_the_capture_no_frame(clip, tmp_path):
    counts, stop = [0] * PAGES, threading.Event()
    with program(tmp_path, "--camera", clip) as served, contextlib.ExitStack() as stack:
        watcher = stack.enter_context(page(served))
        for _ in range(3):  # the first frames, while all is loaded
            frames_of(watcher, 1.0)
        eaters = []
        for number in range(PAGES):
            connection = stack.enter_context(page(served))
            eaters.append(threading.Thread(target=eat, args=(connection, counts, number, stop), daemon=True))
            eaters[-1].start()
        # Other programs may cost a frame now and then; pages that cost frames would do so all the time.
        windows = [found := frames_of(watcher, 4.0)]
        while found[-1]["dropped"] != found[0]["dropped"] and len(windows) < 6:
            windows.append(found := frames_of(watcher, 4.0))
        stop.set()
        for eater in eaters:
            eater.join(10)
    indexes = [frame["frame"] for frame in found]
    assert found[-1]["dropped"] == found[0]["dropped"]
    assert indexes == list(range(indexes[0], indexes[0] + len(indexes)))  # each was analysed, and told
    assert len(indexes) > 30  # of 10 a second
    assert min(counts) > 20 * len(windows)  # each page had its pictures


def frames_of(connection, seconds):
    """The messages that end the frames of so many seconds."""
    until, found = time.monotonic() + seconds, []
    while time.monotonic() < until:
        message = connection.recv(timeout=5)
        if isinstance(message, str) and (one := json.loads(message))["type"] == "frame":
            found.append(one)
    return found

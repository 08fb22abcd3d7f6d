"""The live page after the browser, the program, the network or the camera was away: nobody has to load it again."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from browser import PROGRAM, browser
from held_clip import write_clip
from make_demo import portrait, with_mouth
from served import heard, page, program
from talking import free_port
from websockets.exceptions import ConnectionClosed

pytestmark = [pytest.mark.skipif(PROGRAM is None, reason="needs chromium"), pytest.mark.slow]

READY = "!!window.live && live.faces.get(0)?.isOn('open') && !!live.stage.shown?.image"
LIVE, LOST = (f"document.body.dataset.connection === '{name}'" for name in ("live", "lost"))
SILENCE = 4.0  # s after which a page gives a silent program up


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("held") / "held.mp4", 0.6, seconds=120)


def open_page(window, address):
    window.go(address, READY)
    window.value("window.loaded = 1")


def is_back(window):
    """Wait until the page, the same one as before, shows new values and a new picture."""
    window.wait(f"{LIVE} && live.stage.shown !== null")
    window.value("window.index = live.stage.shown.index; window.newest = live.faces.get(0).seen")
    window.wait("live.stage.shown.index !== index && [...live.faces.values()].some(one => one.seen > newest)")
    assert window.value("window.loaded") == 1


def test_a_program_that_says_nothing_is_given_up_and_comes_back(clip, tmp_path):
    with program(tmp_path, "--camera", clip) as served, browser() as window:
        open_page(window, served.address)
        since = time.monotonic()
        os.kill(served.process.pid, signal.SIGSTOP)  # the connection stays open
        try:
            window.wait(LOST)
            assert SILENCE - 1 < time.monotonic() - since < SILENCE + 6
            assert window.value("document.querySelector('.lane .value').textContent") == "\u2013"
        finally:
            os.kill(served.process.pid, signal.SIGCONT)
        is_back(window)


def test_the_page_tells_an_end_from_silence(clip, tmp_path):
    with program(tmp_path, "--camera", clip) as served, browser() as window:
        open_page(window, served.address)
        served.process.send_signal(signal.SIGTERM)
        window.wait("document.getElementById('connection').textContent.startsWith('mouth-live has ended')")
        time.sleep(1)  # it looks for the program again, in vain
        assert "has ended" in window.value("document.getElementById('connection').textContent")


@contextlib.contextmanager
def network():
    """Another network, joined to ours by a cable; its prefix of commands, its address, and a switch for the cable."""
    if not (shutil.which("ip") and shutil.which("nsenter")):
        pytest.skip("needs the programs ip and nsenter")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may make no network namespaces")
    with subprocess.Popen(["unshare", "-n", "sleep", "600"]) as there:
        ours, theirs = f"mla{there.pid}"[:15], f"mlb{there.pid}"[:15]
        net = f"198.18.{there.pid % 256}"
        inside = ("nsenter", "-t", str(there.pid), "-n")

        def ip(*words, where=()):
            subprocess.run([*where, "ip", *words], check=True, capture_output=True)

        try:
            own = Path("/proc/self/ns/net").readlink()
            while Path(f"/proc/{there.pid}/ns/net").readlink() == own:
                time.sleep(0.01)
            ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(there.pid))
            ip("addr", "add", f"{net}.1/30", "dev", ours)
            ip("addr", "add", f"{net}.2/30", "dev", theirs, where=inside)
            ip("link", "set", theirs, "up", where=inside)
            ip("link", "set", ours, "up")
            yield SimpleNamespace(inside=inside, address=f"{net}.2", cable=lambda state: ip("link", "set", ours, state))
        finally:
            there.kill()  # the cable goes with its network


def test_the_network_is_away_and_comes_back(clip, tmp_path):
    with (
        network() as net,
        program(tmp_path, "--camera", clip, "--host", net.address, before=net.inside) as served,
        browser() as window,
    ):
        assert net.address in served.address
        open_page(window, served.address)
        for seconds in (0, 6):
            net.cable("down")
            window.wait(LOST)
            time.sleep(seconds)  # attempts to connect fail too
            net.cable("up")
            is_back(window)


def test_the_browser_is_killed_and_others_notice_nothing(clip, tmp_path):
    with program(tmp_path, "--camera", clip) as served, page(served) as other:
        with browser() as window:
            open_page(window, served.address)
            shown = window.value("live.stage.shown.index")
            before = next(frame for frame in iter(lambda: heard(other, "frame"), None) if frame["frame"] > shown)
            with contextlib.suppress(ConnectionClosed):
                window.call("Browser.crash")
        frames = [heard(other, "frame")["frame"] for _ in range(20)]
        assert np.diff([before["frame"], *frames]).max() < 8  # of 10 a second: nothing hung
        with browser() as window:
            open_page(window, served.address)
            is_back(window)
        assert served.process.poll() is None


class NetworkCamera:
    """A camera at an address, which sends a face with an open mouth as Motion JPEG, 10 pictures a second."""

    def __init__(self):
        self.port, self.server, self.running = free_port(), None, threading.Event()
        face = cv2.resize(with_mouth(portrait(), 0.6), (480, 480), interpolation=cv2.INTER_AREA)
        self.pictures = [cv2.imencode(".jpg", cv2.convertScaleAbs(face, beta=n))[1].tobytes() for n in (0, 3)]
        self.address = f"http://127.0.0.1:{self.port}/face.mjpg"

    def __enter__(self):
        camera = self

        class Stream(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                number = 0
                with contextlib.suppress(OSError):
                    while camera.running.is_set():
                        jpeg = camera.pictures[number := (number + 1) % 2]
                        self.wfile.write(
                            b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                        )
                        self.wfile.write(jpeg + b"\r\n")
                        time.sleep(0.1)
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *_):
                pass

        self.running.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Stream)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.running.clear()
        self.server.shutdown()
        self.server.server_close()


def test_the_camera_is_away_for_long_and_comes_back(tmp_path):
    camera = NetworkCamera()
    with contextlib.ExitStack() as stack:
        with camera:
            served = stack.enter_context(program(tmp_path, "--camera", camera.address))
            window = stack.enter_context(browser())
            open_page(window, served.address)
        window.wait("document.getElementById('connection').textContent === 'the camera gives no picture'")
        time.sleep(14)  # other live video ends after 10 s of attempts
        assert not window.value(LIVE)
        with camera:
            is_back(window)

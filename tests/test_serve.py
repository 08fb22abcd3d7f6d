"""``mouth-live serve`` from outside: what it sends, to whom, and what it refuses."""

import contextlib
import http.client
import json
import re
import signal
import socket
import struct
import time
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from held_clip import write_clip
from served import heard, page, program
from talking import START, analysis, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mouth_live.models.errors import MouthLiveError
from mouth_live.realtime.commands.cli import cli
from mouth_live.realtime.commands.config_edit import changed
from mouth_live.realtime.commands.live_page import _token
from mouth_live.realtime.lips.profiles import load_profile, save_profile
from mouth_live.realtime.sinks.web.access import Access
from mouth_live.realtime.sinks.web.server import MAX_CLIENTS, listen
from mouth_live.realtime.sinks.web.web_sink import WebSink

TOKEN = "abcdefghijklmnop"
FILES = ("", "obs", "live.js", "live.css", "link.js", "history.js", "curves.js", "stage.js", "controls.js",
         "cameras.js", "obs.js", "obs.css", "avatars.js", "icon.svg")  # fmt: skip

WRONG_LIMITS = (
    '"kind": "open", "on": 2, "off": 1', '"kind": "open", "on": 0.5, "off": 0.6', '"kind": "x"', '"kind": ["open"]',
    '"kind": "open", "on": "1", "off": 0.1', '"kind": "open", "on": NaN, "off": 0.1', '"kind": "open", "on": true',
)  # fmt: skip

WRONG_REQUESTS = {
    '{"type": "record", "on": "yes"}': 'on: expected true or false, got "yes"',
    '{"type": "record", "on": 1}': "on: expected true or false, got 1",
    '{"type": "record"}': "on: expected true or false, got null",
    '{"type": "save", "to": "disk"}': 'to: expected profile, or nothing for the file, got "disk"',
}


class Controls:
    """Keeps what pages ask for."""

    def __init__(self):
        self.asked = []

    def state(self):
        return {"asked": len(self.asked)}

    def handle(self, command):
        if command.get("type") == "bad":
            raise ValueError("that cannot be done")
        self.asked.append(command)


@contextlib.contextmanager
def serving(host="127.0.0.1", token="", **more):
    """A server in this process; its sink, its port and what pages asked for."""
    controls = Controls()
    source = SimpleNamespace(name="camera 0", size=(64, 48))
    with contextlib.closing(listen("127.0.0.1", 0)) as taken:
        sink = WebSink(taken, Access(host, token), controls, source=lambda: source, **more)
        with sink:
            yield SimpleNamespace(sink=sink, port=taken.getsockname()[1], asked=controls.asked)


@pytest.fixture
def server(program_threads):
    with serving() as server:
        yield server


def get(port, path="/", **headers):
    """The status, the headers and the body of an answer."""
    headers = {"Host": f"127.0.0.1:{port}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.putrequest("GET", path, skip_host=True)
        for name, value in headers.items():
            for each in [value] if isinstance(value, str) else value:
                connection.putheader(name, each)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_a_page_gets_the_protocol_of_the_websocket_output_with_more_keys(server):
    server.sink.write(analysis(0.5, {0: 0.6}, [START]))
    with page(server) as connection:
        first = json.loads(connection.recv(timeout=5))
        assert (first["type"], first["program"], first["protocol"]) == ("hello", "mouth-live", 1)
        assert (first["source"], first["size"], first["picture"], first["avatar"]) == ("camera 0", [64, 48], True, 0)
        assert heard(connection, "start")["timestamp"] == 0.5  # what is on already
        server.sink.write(analysis(1.0, {0: 0.25, 3: 0.75}, [("stop", "activity", 0)]))
        value = heard(connection, "value")
        assert value == {
            "type": "value", "face_id": 0, "timestamp": 1.0, "openness": 0.25, "openness_raw": 0.25, "activity": None,
            "frame": 30, "box": [0.0, 0.0, 20.0, 20.0], "active": False, "movement": None, "reliability": 1.0,
        }  # fmt: skip
        assert heard(connection, "value")["face_id"] == 3
        frame = heard(connection, "frame")
        assert (frame["frame"], frame["faces"], frame["silent"]) == (30, [0, 3], False)
        assert heard(connection, "stop") == {
            "type": "stop", "kind": "activity", "face_id": 0, "timestamp": 1.0, "decided": 1.0,
        }  # fmt: skip


def test_at_the_end_every_start_gets_its_stop():
    with serving() as server:
        with page(server) as connection:
            server.sink.write(analysis(0.5, {0: 0.6}, [START]))
            assert heard(connection, "start")
            server.sink.__exit__(None, None, None)
            assert heard(connection, "stop")["face_id"] == 0
            with pytest.raises(ConnectionClosed) as closed:
                heard(connection)
        assert closed.value.rcvd.code == 1001


def test_a_picture_comes_when_it_is_asked_for_and_names_its_frame(server):
    with page(server) as connection:
        heard(connection, "state")
        server.sink.write(analysis(1.0))
        for at in (1.5, 2.0):
            connection.send('{"type": "picture"}')
            server.sink.write(analysis(at))
            message = next(m for m in iter(lambda: connection.recv(timeout=5), None) if isinstance(m, bytes))
            index, moment = struct.unpack("<Id", message[:12])
            assert index == int(moment * 30)
            picture = cv2.imdecode(np.frombuffer(message[12:], np.uint8), cv2.IMREAD_COLOR)
            assert picture.shape == (48, 64, 3)


def test_without_a_picture_none_is_made_or_sent():
    with serving(picture=False) as server, page(server) as connection:
        assert json.loads(connection.recv(timeout=5))["picture"] is False
        connection.send('{"type": "picture"}')
        for at in range(5):
            server.sink.write(analysis(float(at)))
        assert all(isinstance(connection.recv(timeout=5), str) for _ in range(5))


def test_commands_and_nonsense(server):
    with page(server) as connection:
        connection.send('{"type": "record", "on": true}')
        wait_for(lambda: server.asked == [{"type": "record", "on": True}])
        for text, reason in (("[", "expected a JSON object"), ("7", "expected a JSON object"),
                             ('{"type": "bad"}', "that cannot be done")):  # fmt: skip
            connection.send(text)
            assert heard(connection, "error")["message"] == reason
        connection.send("x" * 5000)
        with pytest.raises(ConnectionClosed) as closed:
            heard(connection)
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.0.2.7", "", "localhost.evil.example"])
def test_a_name_that_is_not_this_machine_gets_nothing(server, host):
    for path in ("/", "/obs", "/live.js", "/ws"):
        assert (get(server.port, path, Host=host)[0], get(server.port, path, Host=host)[2]) in ((403, b""), (400, b""))


def test_names_of_this_machine_are_answered(server):
    for host in ("localhost", f"localhost:{server.port}", "127.0.0.1:1", "[::1]:8765", "LOCALHOST", "a.localhost"):
        assert get(server.port, Host=host)[0] == 200, host
    assert get(server.port, Host=["localhost", "localhost"])[0] in (400, 403)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://", "http://["]
)
def test_a_page_of_another_origin_gets_nothing(server, origin):
    for path in ("/", "/obs", "/live.js", "/avatar/0.png"):
        assert get(server.port, path, Origin=origin)[::2] == (403, b"")
    with pytest.raises(InvalidStatus) as refused:
        page(server, origin=origin)
    assert (refused.value.response.status_code, refused.value.response.body) == (403, b"")


def test_our_own_page_and_programs_are_answered(server):
    own = f"http://127.0.0.1:{server.port}"
    assert get(server.port, Origin=own)[0] == 200
    with page(server, origin=own) as connection:
        assert heard(connection, "hello")
    assert get(server.port, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200  # a link
    for mode in ("no-cors", "cors", "websocket"):
        assert get(server.port, "/icon.svg", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode=mode)[0] == 403


def test_another_address_needs_the_token():
    with serving("192.0.2.1", TOKEN) as server:
        for path in ("/", "/obs", "/ws", "/live.js", "/wrong/", f"/{TOKEN}x/", f"/{TOKEN[:-1]}/", "//", f"/x/{TOKEN}/"):
            assert get(server.port, path, Host="192.0.2.1")[::2] == (403, b""), path
        with pytest.raises(InvalidStatus):
            page(server)
        for path in FILES:
            assert get(server.port, f"/{TOKEN}/{path}", Host="192.0.2.1")[0] == 200, path
        assert get(server.port, f"/{TOKEN}/", Host="evil.example")[0] == 403
        status, headers, _ = get(server.port, f"/{TOKEN}", Host="192.0.2.1")
        assert (status, headers["Location"]) == (302, f"/{TOKEN}/")
        with page(server, f"/{TOKEN}/ws") as connection:
            assert heard(connection, "hello")


def test_every_answer_is_strict_and_names_no_other_site(server):
    for path in (*FILES, "missing.js", "live.html", "server.py", "../access.py"):
        status, headers, body = get(server.port, f"/{path}")
        assert status == (200 if path in FILES else 404), path
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        text = body.decode().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|<script>|<style>| style=| on[a-z]+=", text), path


def plain_page(server):
    """A client of plain bytes that has read nothing but the handshake, with a small buffer; its stream."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(5)
    client.connect(("127.0.0.1", server.port))
    request = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    client.sendall(f"{request}Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    stream = client.makefile("rb")
    client.close()  # the stream keeps it open
    while stream.readline() != b"\r\n":
        pass
    return stream


def plain_messages(stream):
    """The JSON messages of a server's stream. Source: RFC 6455, 5.2."""
    while True:
        head, length = stream.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", stream.read(2))
        body = stream.read(length)
        if head == 0x81:  # one whole text message
            yield json.loads(body)


def test_a_slow_page_misses_values_and_holds_nobody_up(server):
    faces, last = dict.fromkeys(range(40), 0.5), 199
    with plain_page(server) as stream:
        messages = plain_messages(stream)
        assert next(messages)["type"] == "hello"
        longest = 0.0
        for number in range(last + 1):
            events = {0: [START], last // 2: [("stop", "activity", 0)]}.get(number, [])
            before = time.perf_counter()
            server.sink.write(analysis(float(number), faces, events))
            longest = max(longest, time.perf_counter() - before)
            time.sleep(0.001)
        assert get(server.port)[0] == 200  # others are served
        got = []
        while not (got and got[-1].get("frame") == 30 * last):
            got.append(next(m for m in messages if m["type"] in ("frame", "start", "stop")))
    frames = [message["frame"] for message in got if message["type"] == "frame"]
    assert longest < 0.5
    assert frames == sorted(frames)
    assert len(frames) < last  # it goes on with the newest
    assert [message["type"] for message in got if message["type"] in ("start", "stop")] == ["start", "stop"]


def test_so_many_pages_and_no_more(server):
    with contextlib.ExitStack() as stack:
        pages = [stack.enter_context(page(server)) for _ in range(MAX_CLIENTS)]
        with pytest.raises(InvalidStatus) as refused:
            page(server)
        assert refused.value.response.status_code == 503
        pages[0].close()

        def again():
            """Try to connect in the place that is free now."""
            with contextlib.suppress(InvalidStatus):
                return stack.enter_context(page(server))

        assert wait_for(again)


@pytest.mark.parametrize(("options", "line"), [
    ("colour=zzz", "colour: expected six hexadecimal digits, such as e69f00, got 'zzz'"),
    ("style=bar&colour=%23e69f00", "colour: expected six hexadecimal digits, such as e69f00, got '#e69f00'"),
    ("style=mouth", "style: expected avatar, bar or glow, got 'mouth'"),
    ("face=me", "face: expected largest or a face's id, such as 0, got 'me'"),
    ("mirror=yes", "mirror: expected 0 or 1, got 'yes'"),
    ("flip=", "flip: expected 0 or 1, got ''"),
    ("color=e69f00", "'color': no such option; known options: face, style, mirror, flip, colour"),
    ("a%0Ab=1", r"'a\nb': no such option; known options: face, style, mirror, flip, colour"),
])  # fmt: skip
def test_a_wrong_option_of_obs_is_one_line(server, options, line):
    status, headers, body = get(server.port, f"/obs?{options}")
    assert (status, headers["Content-Type"], body.decode()) == (400, "text/plain; charset=utf-8", f"{line}\n")


@pytest.mark.parametrize("options", ["", "face=largest&style=bar", "face=12&style=glow&mirror=1&flip=0&colour=E69f00"])
def test_right_options_of_obs_get_its_page(server, options):
    status, headers, body = get(server.port, f"/obs?{options}")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"obs.js" in body


def test_an_avatar_of_ones_own(tmp_path):
    pictures = tuple(b"\x89PNG\r\n\x1a\n" + bytes([n]) for n in range(3))
    with serving(avatar=pictures) as server:
        assert [get(server.port, f"/avatar/{n}.png")[2] for n in range(3)] == list(pictures)
        assert get(server.port, "/avatar/3.png")[0] == 404
        with page(server) as connection:
            assert heard(connection, "hello")["avatar"] == 3


@pytest.fixture(scope="module")
def half_open(tmp_path_factory):
    """A minute of a mouth that is half open."""
    return write_clip(tmp_path_factory.mktemp("held") / "held.mp4", 0.6, seconds=60)


def test_the_command_on_another_address_prints_a_token_and_records_and_saves(half_open, tmp_path):
    (tmp_path / "takes").mkdir()
    (tmp_path / "desk.toml").write_text('# mine\nface = "largest"\n[serve]\non = 0.4  # low\n')
    options = ("--camera", half_open, "--host", "0.0.0.0", "--config", "desk.toml", "-o", "takes")
    with program(tmp_path, *options) as served:
        path = re.search(r":\d+(/.*)", served.address)[1]
        assert len(path) >= 22
        assert get(served.port)[0] == 403
        with page(served, f"{path}ws") as connection:
            assert heard(connection, "start")["kind"] == "open"
            state = heard(connection, "state")
            assert (state["limits"]["open"]["on"], state["file"], state["recording"]) == (0.4, "desk.toml", False)
            connection.send('{"type": "limits", "kind": "open", "on": 0.9, "off": 0.8}')
            assert heard(connection, "stop")["kind"] == "open"
            for wrong in WRONG_LIMITS:
                connection.send('{"type": "limits", ' + wrong + "}")
                assert heard(connection, "error")
            for wrong, reason in WRONG_REQUESTS.items():
                connection.send(wrong)
                assert heard(connection, "error")["message"] == reason
            assert not heard(connection, "state")["recording"]
            connection.send('{"type": "smooth", "value": 4}')
            connection.send('{"type": "save"}')
            connection.send('{"type": "record", "on": true}')
            while not (state := heard(connection, "state"))["take"]:
                pass
            assert heard(connection, "value")
            connection.send('{"type": "record", "on": false}')
            while (state := heard(connection, "state"))["recording"]:
                pass
            assert re.fullmatch(r"take-\d{8}-\d{6}\.csv and take-.*\.mp4 saved in /.*/takes", state["recorded"])
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(10) == 0
    common = ["# mine", 'face = "largest"', "activity-on = 0.2", "activity-off = 0.03", "off = 0.8", "smooth = 4"]
    assert (tmp_path / "desk.toml").read_text().splitlines() == [*common, "[serve]", "on = 0.9"]
    table, video = sorted((tmp_path / "takes").iterdir())
    assert table.read_text().splitlines()[1].startswith("0,0.000000,0,")
    assert (table.suffix, video.suffix, sorted(p.name for p in tmp_path.iterdir())) == (
        ".csv", ".mp4", ["desk.toml", "takes"],
    )  # fmt: skip


@pytest.mark.slow
def test_limits_saved_in_a_profile_hold_wherever_it_is_used(half_open, tmp_path, mouth_live, monkeypatch):
    monkeypatch.setenv("MOUTH_LIVE_CONFIG", str(tmp_path))
    with program(tmp_path, "--camera", half_open) as served, page(served) as connection:
        connection.send('{"type": "limits", "kind": "open", "on": 0.95, "off": 0.9}')
        connection.send('{"type": "smooth", "value": 4}')
        connection.send('{"type": "save", "to": "profile"}')
        while not (state := heard(connection, "state"))["saved"]:
            pass
        assert state["saved"] == "saved in profile me; --profile me uses it"
        save_profile(replace(load_profile("me"), closed=0.1))  # another measured it in the meantime
        connection.send('{"type": "save", "to": "profile"}')
        assert heard(connection, "error")["message"].startswith("profile 'me' has another range")
    save_profile(replace(load_profile("me"), closed=0.0))
    options = ("--camera", half_open, "--profile", "me", "--activity-on", "0.3")
    with program(tmp_path, *options) as served, page(served) as connection:
        state = heard(connection, "state")
    assert (state["limits"]["open"]["on"], state["limits"]["open"]["off"], state["smooth"]) == (0.95, 0.9, 4)
    assert state["limits"]["activity"]["on"] == 0.3  # an option takes precedence
    for profile, lines in (((), 2), (("--profile", "me"), 0)):
        done = mouth_live("events", half_open, "--kind", "open", *profile)
        assert (done.returncode, len(done.stdout.splitlines())) == (0, lines), done.stderr


def test_a_port_that_is_taken_is_one_line(mouth_live, demo_clip):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = mouth_live("serve", "--camera", demo_clip, "--port", port)
    assert done.returncode == 1
    line = f"mouth-live: error: 127.0.0.1:{port}: cannot listen there (Address already in use); choose another --port\n"
    assert done.stderr == line


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (("--camera", "missing.mp4"), 1, "missing.mp4"),
    (("--avatar", "none"), 1, "none: cannot read this avatar"),
    (("--avatar", "one"), 1, "one: expected 2 to 5 PNG files, from closed to open by name, found 1"),
    (("--avatar", "two"), 1, "b.png: is no PNG picture"),
    (("--output", "none"), 1, "none: is no folder"),
    (("--save", "none/a.toml"), 1, "none/a.toml: there is no such folder"),
    (("--host", "300.1.1.1"), 1, "300.1.1.1: no such address ("),
    (("--host", "a..b"), 1, "a..b: no such address (not a host name); choose another --host"),
    (("--host", "203.0.113.9"), 1, "203.0.113.9: not an address of this machine; choose another --host"),
    (("--host", "0.0.0.0"), 2, "MOUTH_LIVE_TOKEN: expected at least 16 letters"),
    (("--host", "192.0.2.1"), 2, "MOUTH_LIVE_TOKEN"),
])  # fmt: skip
def test_what_cannot_be_served(arguments, code, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if code == 2:
        monkeypatch.setenv("MOUTH_LIVE_TOKEN", "short")
    for folder, names in (("one", "a"), ("two", "ab")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" if name == "a" else b"no picture")
    with pytest.raises(MouthLiveError, match=re.escape(words)) as error:
        cli.main(["serve", "--port", "0", *arguments], "mouth-live", standalone_mode=False)
    assert error.value.exit_code == code


def test_a_token_of_ones_own(monkeypatch):
    monkeypatch.setenv("MOUTH_LIVE_TOKEN", TOKEN)
    assert _token("0.0.0.0") == TOKEN
    assert _token("127.0.0.1") == _token("localhost") == _token("::1") == ""


@pytest.mark.parametrize(("text", "expected"), [
    ("", "on = 0.6\nsmooth = 2\n"),
    ("camera = 1\n[events]\non = 0.3\n", "camera = 1\non = 0.6\nsmooth = 2\n[events]\non = 0.3\n"),
    ("on = 0.2 # mine\n[serve]\nsmooth=1\n", "on = 0.6\n[serve]\nsmooth = 2\n"),
    ("on = 0.2\n[serve]\non = 0.3\n", "on = 0.2\nsmooth = 2\n[serve]\non = 0.6\n"),
])  # fmt: skip
def test_options_are_changed_where_they_stand(text, expected):
    assert changed(text, {"on": 0.6, "smooth": 2.0}, "serve") == expected

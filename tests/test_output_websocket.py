"""The WebSocket server, with clients of their own library in processes of their own, and one of plain bytes."""

import base64
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from talking import START, STOP, analysis, free_port

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs

# Connects so many clients, says so when each was greeted, and counts what each gets until the server says goodbye.
CLIENTS = """
import asyncio, sys, websockets
async def client(url, ready):
    async with websockets.connect(url, proxy=None) as connection:
        assert await connection.recv() == '{"type": "hello", "program": "mouth-live", "protocol": 1}'
        ready.release()
        return [message async for message in connection]
async def main():
    ready, number = asyncio.Semaphore(0), int(sys.argv[2])
    tasks = [asyncio.create_task(client(sys.argv[1], ready)) for _ in range(number)]
    for _ in tasks:
        await ready.acquire()
    print("ready", flush=True)
    for got in await asyncio.gather(*tasks):
        print(len(got), got[0], got[-1], sep="\\t", flush=True)
asyncio.run(main())
"""


@pytest.fixture
def url():
    return f"ws://127.0.0.1:{free_port()}"


def start_clients(url, number):
    process = subprocess.Popen([sys.executable, "-c", CLIENTS, url, str(number)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def results(process):
    """(messages, the first, the last) of each client."""
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    return [(int(n), json.loads(a), json.loads(b)) for n, a, b in (line.split("\t") for line in out.splitlines())]


def handshake(url, headers=""):
    """A client of plain bytes; its socket and the answer's first line."""
    host, port = url.removeprefix("ws://").split(":")
    client = socket.create_connection((host, int(port)), 5)
    key = base64.b64encode(os.urandom(16)).decode()
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    client.sendall(f"{request}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{headers}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += client.recv(1)
    return client, answer.split(b"\r\n")[0].decode()


def test_clients_get_what_happens_and_the_stop_at_the_end(url):
    with FanOut(make_outputs([url])) as apps:
        process = start_clients(url, 2)
        apps.take(analysis(0.5, {0: 0.6}, [START]))
    for number, first, last in results(process):
        assert number == 3
        values = {"openness": 0.6, "openness_raw": 0.6, "activity": None}
        assert first == {"type": "value", "face_id": 0, "timestamp": 0.5} | values
        assert last == {"type": "stop", "kind": "activity", "face_id": 0, "timestamp": 0.5, "decided": 0.5}


def test_a_client_that_comes_late_is_told_what_is_on(url):
    with FanOut(make_outputs([url + "?values=no"])) as apps:
        apps.take(analysis(0.5, {0: 0.6}, [START, ("start", "open", 1)]))
        apps.take(analysis(0.6, {0: 0.6}, [("stop", "open", 1)]))
        time.sleep(0.1)
        process = start_clients(url, 1)
    ((number, first, last),) = results(process)
    assert (number, first["type"], first["timestamp"], last["type"]) == (2, "start", 0.5, "stop")


@pytest.mark.parametrize(("origin", "status"), [
    (None, 101), ("http://localhost:3000", 101), ("http://127.0.0.1", 101), ("http://[::1]:8080", 101),
    ("https://example.org", 101), ("https://example.com", 403), ("http://localhost.example.com", 403), ("null", 403),
    ("http://192.0.2.7:8765", 403), ("http://[", 403),
])  # fmt: skip
def test_browsers_connect_from_pages_of_this_machine_or_of_a_named_origin(url, origin, status):
    with FanOut(make_outputs([url + "?origin=https://example.org"])):
        client, answer = handshake(url, f"Origin: {origin}\r\n" if origin else "")
        client.close()
    assert int(answer.split()[1]) == status


def test_a_refused_page_is_told_once(url, caplog):
    with FanOut(make_outputs([url])):
        for _ in range(2):
            handshake(url, "Origin: https://example.com\r\n")[0].close()
    assert caplog.text.count("refused a page from https://example.com") == 1


def test_nonsense_from_clients_is_their_own_business(url, caplog, capfd):
    with FanOut(make_outputs([url])) as apps:
        with socket.create_connection(tuple(url.removeprefix("ws://").split(":")), 5) as client:
            client.sendall(b"hello\r\n\r\n")
            client.recv(1000)
        client, _ = handshake(url)
        client.sendall(b"\x81\xfe\xff\xff0000" + b"x" * 70000)  # larger than it takes
        process = start_clients(url, 1)
        apps.take(analysis(0.5, {0: 0.6}, [START, STOP]))
        client.close()
    assert results(process)[0][0] == 3
    assert (caplog.text, capfd.readouterr().err) == ("", "")


def test_thousands_of_messages_a_second_to_many_clients_while_a_slow_one_is_dropped(url, caplog):
    faces = dict.fromkeys(range(20), 0.5)
    with FanOut(make_outputs([url])) as apps:
        process = start_clients(url, 10)
        slow, _ = handshake(url)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        longest, began = 0.0, time.monotonic()
        while "dropped a client that reads too slowly" not in caplog.text:
            before = time.perf_counter()
            apps.take(analysis(time.monotonic() - began, faces))
            longest = max(longest, time.perf_counter() - before)
            time.sleep(0.001)
            assert time.monotonic() - began < 20
        spent = time.monotonic() - began
        apps.take(analysis(spent, faces, [START]))
        slow.close()
    got = results(process)
    assert longest < 1  # a take that the machine's other work held up; it never waits for the server
    (number,) = {number for number, _, _ in got}  # the same to each: nobody waited for the slow one
    assert number / spent > 1000  # what a busy machine's server could not take in time is left out before it, for all
    assert {last["type"] for _, _, last in got} == {"stop"}


def test_it_listens_on_this_machine_alone(url):
    with FanOut(make_outputs([url])):
        port = int(url.rpartition(":")[2])
        listening = [
            line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"
        ]
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_the_port_is_free_again_at_once(url):
    for _ in range(2):
        with FanOut(make_outputs([url])) as apps:
            process = start_clients(url, 1)
            apps.take(analysis(0.5, {0: 0.6}))
        assert results(process)[0][0] == 1

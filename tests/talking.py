"""Made analyses for the tests of outputs, and plain receivers that know nothing of mouth-live."""

import socket
import struct
import time
from collections.abc import Callable

import numpy as np

from mouth_live.models.face import Face
from mouth_live.realtime.records import Analysis, Frame, LipEvent, Reading

IMAGE = np.zeros((48, 64, 3), np.uint8)
POINTS = np.zeros((6, 2), np.float32)


def analysis(at, faces=(), events=()):
    """A frame at a time in seconds, with {face id: openness} and (type, kind, face id) events."""
    readings = tuple(
        Reading(i, Face((10.0 * i, 0.0, 20.0 - i, 20.0), POINTS, 0.9), openness, openness, False, 1.0)
        for i, openness in sorted(dict(faces).items())
    )
    told = tuple(LipEvent(kind_of, kind, face_id, at) for kind_of, kind, face_id in events)
    return Analysis(Frame(int(at * 30), at, IMAGE), readings, told)


START, STOP = ("start", "activity", 0), ("stop", "activity", 0)


def free_port(kind=socket.SOCK_STREAM):
    """A port that nothing listens at."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(done: Callable[[], object], seconds=5.0):
    """Wait until something is true; what it gave."""
    until = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)
    return found


class UdpReceiver:
    """A plain socket."""

    def __init__(self, port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self):
        return self.socket.recv(65536)

    def rest(self, quiet=0.2):
        """All that comes until nothing comes for a while."""
        self.socket.settimeout(quiet)
        found = []
        try:
            while True:
                found.append(self.socket.recv(65536))
        except TimeoutError:
            return found


def decode_osc(packet):
    """(address, arguments) of each message of an OSC packet, decoded by hand from the OSC 1.0 specification."""
    if packet.startswith(b"#bundle\0"):
        assert packet[8:16] == struct.pack(">Q", 1)  # "immediately"
        messages, rest = [], packet[16:]
        while rest:
            (size,) = struct.unpack(">i", rest[:4])
            messages += decode_osc(rest[4 : 4 + size])
            rest = rest[4 + size :]
        return messages

    def text(data):
        end = data.index(b"\0")
        return data[:end].decode("ascii"), data[(end // 4 + 1) * 4 :]

    assert len(packet) % 4 == 0
    address, rest = text(packet)
    tags, rest = text(rest)
    assert tags.startswith(",")
    arguments = []
    for tag in tags[1:]:
        if tag == "s":
            value, rest = text(rest)
        else:
            (value,) = struct.unpack({"f": ">f", "i": ">i"}[tag], rest[:4])
            rest = rest[4:]
        arguments.append(value)
    assert rest == b""
    return [(address, *arguments)]

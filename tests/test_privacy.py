"""Nothing leaves the machine: the program's system calls are traced, native code included."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from conftest import COMMAND

needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="needs strace (Linux)")


def connections(folder: Path, *arguments: str) -> list[str]:
    """Run the command line; the calls by which it reached for an address other than this machine's."""
    trace = folder / "trace.txt"
    calls = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(trace)]
    subprocess.run([*calls, *COMMAND, *arguments], cwd=folder, check=True, capture_output=True, timeout=150)
    lines = trace.read_text().splitlines()
    assert lines  # a trace that saw nothing, not even the program's end, proves nothing
    return [line for line in lines if "AF_INET" in line and "127.0.0.1" not in line and '"::1"' not in line]


@needs_strace
@pytest.mark.parametrize("arguments", [["process", "short.mp4"], ["demo", "--no-window"], ["events", "short.mp4"]])
def test_no_connection_leaves_the_machine(short_clip, tmp_path, arguments):
    shutil.copy(short_clip, tmp_path / "short.mp4")
    assert connections(tmp_path, *arguments) == []


@needs_strace
def test_outputs_reach_for_the_named_address_alone(short_clip, tmp_path):
    shutil.copy(short_clip, tmp_path / "short.mp4")
    trace = tmp_path / "calls.txt"
    urls = ["udp://127.0.0.1:40001", "osc://127.0.0.1:40002", "vmc://127.0.0.1:40003", "mqtt://127.0.0.1:40004",
            "vts://127.0.0.1:40005", "obs://127.0.0.1:40006?scene=a"]  # fmt: skip
    to = [word for url in [*urls, "ws://127.0.0.1:40007"] for word in ("--to", url)]
    watched = ["strace", "-f", "--seccomp-bpf", "-e", "trace=connect,bind,sendto,sendmsg", "-o", str(trace)]
    proxies = {
        "http_proxy": "http://192.0.2.1:1",
        "https_proxy": "http://192.0.2.1:1",
        "ALL_PROXY": "socks5://192.0.2.1:1",
    }
    environment = os.environ | proxies | {"XDG_CONFIG_HOME": str(tmp_path)}
    command = [*watched, *COMMAND, "--camera", "short.mp4", "--no-window", *to]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=150)
    calls = [line for line in trace.read_text().splitlines() if "sin_port" in line or "sin6_port" in line]
    # paho-mqtt names a source of its own choice, any, before it connects.
    calls = [line for line in calls if 'sin_port=htons(0), sin_addr=inet_addr("0.0.0.0")' not in line]
    named = {f"sin_port=htons({port})" for port in range(40001, 40008)}
    assert [line for line in calls if "127.0.0.1" not in line or not any(port in line for port in named)] == []
    assert {port for port in named if any(port in line for line in calls)} == named


@needs_strace
def test_the_trace_sees_a_connection(tmp_path, monkeypatch):
    # Else the tests around it could not fail. 192.0.2.1 is kept for documentation; a datagram socket sends nothing yet.
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect_ex(('192.0.2.1', 9))"
    monkeypatch.setattr(sys.modules[__name__], "COMMAND", [sys.executable, "-c", code])
    assert any("192.0.2.1" in line for line in connections(tmp_path))


@needs_strace
@pytest.mark.train
@pytest.mark.slow
def test_training_keeps_the_pictures_to_itself(demo_clip, tmp_path, monkeypatch):
    # One epoch: the others reach for nothing else.
    short = (
        "from mouth_live.models.training import network; from mouth_live.realtime.commands.cli import main;"
        "network.PRESETS['reference'] = network.ReferencePreset('reference', epochs=1); main()"
    )
    monkeypatch.setattr(sys.modules[__name__], "COMMAND", [sys.executable, "-c", short])
    video = cv2.VideoCapture(str(demo_clip))
    columns = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden"]
    columns += ["eye1_x", "eye1_y", "eye2_x", "eye2_y", "note"]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for i in range(48):
            cv2.imwrite(str(tmp_path / f"{i}.jpg"), video.read()[1])
            part = "test" if i >= 44 else "train"
            writer.writerow({"file": f"{i}.jpg", "set": "a", "part": part, "person": i, "gap_ratio": 0.02 * (i % 9)})
    assert connections(tmp_path, "train", "--data", ".", "--preset", "reference", "--run", "run") == []
    assert (tmp_path / "run" / "report.json").exists()


def test_processing_never_imports_tensorflow_or_mediapipe(short_clip, tmp_path):
    code = (
        "import sys; from mouth_live.realtime import AnalysisSettings;"
        "from mouth_live.realtime.commands.recordings.plan import Wanted, plan_jobs;"
        "from mouth_live.realtime.commands.recordings.products import ProductOptions;"
        "from mouth_live.realtime.commands.recordings.run import process_recordings;"
        "jobs = plan_jobs([sys.argv[1]], [Wanted('table', 'csv', 'out.csv')], False);"
        "process_recordings(jobs, ProductOptions(), AnalysisSettings());"
        "print([m for m in ('tensorflow', 'mediapipe', 'keras') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(short_clip)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"
    assert Path(tmp_path / "out.csv").exists()

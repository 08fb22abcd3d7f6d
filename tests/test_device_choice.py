"""Tests of the choice between CPU and GPU for recordings, and of several GPUs; made GPUs stand in for them."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import COMMAND

from mouth_live.models import openness
from mouth_live.models.errors import DeviceError
from mouth_live.realtime import AnalysisSettings
from mouth_live.realtime.commands.recordings import device_choice, pool, run
from mouth_live.realtime.commands.recordings.device_choice import choice_for, gpus
from mouth_live.realtime.commands.recordings.outcome import Outcome
from mouth_live.realtime.commands.recordings.plan import Wanted, make_folders, plan_jobs
from mouth_live.realtime.commands.recordings.pool import Pool
from mouth_live.realtime.commands.recordings.products import ProductOptions

HOUR = 3600.0


@pytest.mark.parametrize(
    ("seconds", "workers", "expected"),
    [
        ([30.0], 16, "cpu"),  # done before a GPU has started
        ([0.0, 0.0], 16, "cpu"),  # pictures
        ([30.0] * 16, 16, "cpu"),
        ([HOUR] * 16, 16, "gpu"),
        ([HOUR] * 16, 64, "gpu"),
        ([HOUR] * 200, 64, "cpu"),  # so many cores are faster than one GPU
        ([HOUR] * 200, 1, "gpu"),
    ],
)
def test_a_gpu_is_chosen_where_it_surely_takes_less_time(seconds, workers, expected):
    choice = choice_for(seconds, workers, gpu_count=1)
    assert choice.device == expected
    assert choice.reason.startswith(f"working on the {expected.upper()}, which takes about ")


def test_more_gpus_do_more():
    assert choice_for([HOUR] * 200, 64, gpu_count=4).device == "gpu"


def test_the_line_says_what_each_would_take():
    assert choice_for([HOUR] * 16, 16, gpu_count=1).reason == (
        "working on the GPU, which takes about 11 min for 960 minutes of video; the CPU would take 16 min "
        "(--device cpu)"
    )


def test_without_a_driver_nothing_is_said(monkeypatch, short_clip):
    monkeypatch.setattr(device_choice, "has_gpu_driver", lambda: False)
    assert device_choice.choose_device([short_clip], None) == device_choice.Choice("cpu")


def test_a_driver_whose_gpu_keras_cannot_use_leaves_the_work_to_the_cpu(monkeypatch, short_clip):
    monkeypatch.setattr(device_choice, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(device_choice, "missing_for_gpu", lambda: "")
    monkeypatch.setattr(device_choice, "stated_duration", lambda _: HOUR)
    choice = device_choice.choose_device([short_clip] * 16, 16)
    assert choice.device == "cpu"  # the process that tries finds no driver
    assert choice.reason.startswith("working on the CPU, for the GPU cannot be used: no GPU driver was found")


@pytest.mark.parametrize(("length", "said"), [(1.0, ""), (HOUR, "for the GPU cannot be used: Keras is not installed")])
def test_who_has_a_card_but_not_keras_is_told_so_where_it_would_help(monkeypatch, short_clip, length, said):
    monkeypatch.setattr(device_choice, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(openness, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(openness.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(device_choice, "stated_duration", lambda _: length)
    choice = device_choice.choose_device([short_clip] * 16, 16)
    assert choice.device == "cpu"
    assert said in choice.reason
    assert bool(said) == bool(choice.reason)


@pytest.mark.parametrize("keras", [True, False])
@pytest.mark.parametrize(("driver", "said"), [(False, "no GPU driver was found"), (True, "Keras is not installed")])
def test_only_who_has_a_card_is_told_that_keras_is_missing(monkeypatch, driver, keras, said):
    monkeypatch.setattr(openness, "has_gpu_driver", lambda: driver)
    monkeypatch.setattr(openness.importlib.util, "find_spec", lambda _: object() if keras else None)
    missing = openness.missing_for_gpu()
    assert missing.startswith(said) if not (driver and keras) else not missing


def test_the_gpus_are_those_that_are_visible(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-8f3a")
    assert gpus() == ["2", "GPU-8f3a"]


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_where_all_gpus_are_hidden_auto_takes_the_cpu_and_gpu_is_an_error(monkeypatch, short_clip, tmp_path, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    monkeypatch.setattr(device_choice, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(device_choice, "missing_for_gpu", lambda: "")
    assert device_choice.choose_device([short_clip], None) == device_choice.Choice("cpu")
    jobs = plan_jobs([str(short_clip.parent)], [Wanted("table", "csv", str(tmp_path))], several=True)
    with pytest.raises(DeviceError, match="hides all GPUs"):
        run.process_recordings(jobs, ProductOptions(), AnalysisSettings(device="gpu"), folder=tmp_path)


def test_short_work_stays_on_the_cpu_and_says_so(monkeypatch, short_clip, tmp_path, caplog):
    caplog.set_level("INFO")
    monkeypatch.setattr(device_choice, "has_gpu_driver", lambda: True)
    monkeypatch.setattr(device_choice, "missing_for_gpu", lambda: "")
    run.process_recordings(
        plan_jobs([str(short_clip)], [Wanted("table", "csv", str(tmp_path / "out.csv"))], several=False),
        ProductOptions(),
        AnalysisSettings(device="auto"),
    )
    assert (tmp_path / "out.csv").exists()
    assert caplog.records[0].message.startswith("working on the CPU, which takes about 0 s")


class Workers:
    """Worker processes that do nothing but tell what they were started with."""

    def __init__(self) -> None:
        self.gpus: list[str] = []
        self.commons: list[dict[str, object]] = []

    def start(self, _command: object, _stdin: int, _stdout: int, _stderr: object, env: dict[str, str]) -> object:
        self.gpus.append(env["CUDA_VISIBLE_DEVICES"])
        reply = json.dumps(Outcome("").as_data())
        program = f"import sys; next(sys.stdin); [print({reply!r}, flush=True) for _ in sys.stdin]"
        process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None
        write = process.stdin.write

        def noted(line: bytes) -> int:
            data = json.loads(line)
            if "settings" in data:
                self.commons.append(data)
            return write(line)

        process.stdin = SimpleNamespace(write=noted, flush=process.stdin.flush, close=process.stdin.close)
        return process


def test_each_worker_has_a_gpu_and_its_part_of_the_memory(monkeypatch, tmp_path):
    workers = Workers()
    monkeypatch.setattr(pool, "start_program", workers.start)
    settings = AnalysisSettings(device="gpu", gpu_memory=8 << 30)
    for number in range(4):
        (tmp_path / f"{number}.mp4").write_bytes(b"video")
    jobs = plan_jobs([str(tmp_path)], [Wanted("table", "csv", str(tmp_path / "out"))], several=True)
    make_folders(tmp_path / "out", jobs)
    done = list(Pool(4, ProductOptions(), settings, ["0", "3"]).run(jobs))
    assert len(done) == 4
    assert sorted(workers.gpus) == ["0", "0", "3", "3"]
    assert all(data["loaded"] == {"model": "openness_compact", "device": "gpu"} for data in workers.commons)
    assert {data["settings"]["gpu_memory"] for data in workers.commons} == {4 << 30}


def test_on_the_cpu_nothing_of_a_gpu_is_imported(short_clip, tmp_path):
    code = (
        "import sys; from mouth_live.realtime.commands.cli import cli\n"
        f"cli(['process', {str(short_clip)!r}, '-o', {str(tmp_path / 'out.csv')!r}], standalone_mode=False)\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'torch', 'PyNvVideoCodec', 'mouth_live.models.gpu.backend'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


AMOUNTS = [("4G", 1), ("900M", 1), ("lots", 2), ("0G", 2), ("0.5M", 2), ("1025G", 2), ("\u0664G", 2)]  # an Arabic 4


@pytest.mark.parametrize(("given", "code"), AMOUNTS)
def test_gpu_memory_is_an_amount(short_clip, tmp_path, given, code):
    command = [*COMMAND, "process", str(short_clip), "-o", str(tmp_path / "out.csv"), "--device", "gpu"]
    done = subprocess.run([*command, "--gpu-memory", given], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr  # there is no GPU here, which is said in one line
    assert ("--device gpu: " in done.stderr) == (code == 1)
    assert ("expected an amount from 1M to 1024G, such as 4G or 900M, got " in done.stderr) == (code == 2)
    assert len(done.stderr.splitlines()) == 1 or code == 2

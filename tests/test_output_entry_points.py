"""Outputs of other packages, by the entry-point group ``mouth_live.outputs``: real packages in a folder on the path."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mouth_live.models.errors import SinkError
from mouth_live.realtime import UsageError, outputs
from mouth_live.realtime.outputs.schemes import make_output

# A whole output of another package, from public names alone.
MODULE = """
from mouth_live.realtime.outputs import Output


class Log(Output):
    def __init__(self, path):
        self.path, self.file = path, None

    def open(self, is_ending):
        self.file = open(self.path, "a")

    def messages(self, update):
        return [f"{event.type} {event.kind} {event.time:.2f}" for event in update.events]

    def send(self, update):
        self.file.writelines(message + "\\n" for message in self.messages(update))

    def close(self):
        self.file.close()


def make(address):
    address.check_options(())
    return Log(address.path)


def fail(address):
    raise RuntimeError("not\\nready")


def nothing(address):
    return None


class Half(Output):
    def send(self, update):
        pass


def half(address):
    return Half()
"""


def install(folder, name, points):
    """Write a package's metadata, as an installer does."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{scheme} = {value}" for scheme, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[mouth_live.outputs]", *lines, ""]))


@pytest.fixture
def packages(tmp_path):
    """A folder with the module; :func:`install` adds packages to it."""
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "talk_log.py").write_text(MODULE)
    return folder


@pytest.fixture
def on_path(packages, monkeypatch):
    monkeypatch.syspath_prepend(str(packages))
    yield packages
    sys.modules.pop("talk_log", None)


def run(packages, *arguments):
    environment = os.environ | {"PYTHONPATH": str(packages)}
    command = [sys.executable, "-m", "mouth_live.realtime", *map(str, arguments)]
    return subprocess.run(command, env=environment, cwd=packages, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_output_of_another_package_is_used_like_a_built_in_one(packages, demo_clip):
    install(packages, "talk-log", {"talklog": "talk_log:make"})
    log = Path(packages) / "talk.log"
    url = f"talklog:///{log}"
    dry = run(packages, "events", demo_clip, "--to", url, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    lines = [json.loads(line) for line in dry.stdout.splitlines()]
    shown = [line["sends"] for line in lines if "to" in line]
    assert {line["to"] for line in lines if "to" in line} == {url}
    assert not log.exists()
    done = run(packages, "events", demo_clip, "--to", url)
    assert (done.returncode, done.stderr) == (0, "")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert log.read_text().splitlines() == shown
    assert shown == [f"{e['type']} {e['kind']} {e['timestamp']:.2f}" for e in events]
    assert shown[0].startswith("start")


def test_its_name_is_the_url_unless_it_has_one_of_its_own(on_path):
    install(on_path, "talk-log", {"talklog": "talk_log:make"})
    assert make_output("talklog://me:secret@here/log").name == "talklog://me@here/log"


def test_its_own_usage_errors_are_wrong_usage(packages, demo_clip):
    install(packages, "talk-log", {"talklog": "talk_log:make"})
    done = run(packages, "events", demo_clip, "--to", "talklog:///log?x=1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--to talklog:///log?x=1: unknown option 'x'; known: it has none" in done.stderr


@pytest.mark.parametrize(("value", "reason"), [
    ("no_such_module:make", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("talk_log:no_such_name", "AttributeError: module 'talk_log' has no attribute 'no_such_name'"),
    ("talk_log:fail", "RuntimeError: not ready"),
    ("talk_log:nothing", "expected an Output, got NoneType"),
    ("talk_log:half", "TypeError: Can't instantiate abstract class Half"),
])  # fmt: skip
def test_a_broken_package_is_one_line(on_path, value, reason):
    install(on_path, "talk-log", {"broken": value})
    with pytest.raises(SinkError) as caught:
        make_output("broken://here")
    assert str(caught.value).startswith(f"--to broken://here: the output of talk-log 1.0 is broken ({reason}")
    assert str(caught.value).endswith("); update or uninstall it")
    assert "\n" not in str(caught.value)


def test_a_broken_package_ends_the_command_with_1_and_does_not_hurt_other_outputs(packages, demo_clip):
    install(packages, "talk-log", {"broken": "no_such_module:make"})
    done = run(packages, "events", demo_clip, "--to", "broken://here")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    done = run(packages, "events", demo_clip, "--to", "udp://127.0.0.1:9", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")


def test_two_packages_with_one_scheme_are_one_line(on_path):
    install(on_path, "talk-log", {"talklog": "talk_log:make"})
    install(on_path, "other-log", {"talklog": "talk_log:make"})
    with pytest.raises(SinkError) as caught:
        make_output("talklog://here")
    assert str(caught.value) == (
        "--to talklog://here: other-log 1.0 and talk-log 1.0 both have this kind of output; uninstall one of them"
    )


def test_a_built_in_output_is_not_replaced(on_path, caplog):
    install(on_path, "talk-log", {"udp": "talk_log:make"})
    assert type(make_output("udp://127.0.0.1:1")).__name__ == "UdpLines"
    assert [r.getMessage() for r in caplog.records] == [
        "--to udp://127.0.0.1:1: built in; the output of talk-log 1.0 is not used"
    ]


def test_an_unknown_scheme_lists_those_of_other_packages(on_path):
    install(on_path, "talk-log", {"talklog": "talk_log:make"})
    with pytest.raises(UsageError, match="obs://, key:, talklog://, and - for stdout"):
        make_output("nope://here")


def test_the_names_for_authors_are_there_and_listed():
    assert outputs.__all__ == sorted(outputs.__all__)
    assert set(outputs.__all__) <= set(dir(outputs))
    for name in outputs.__all__:
        assert getattr(outputs, name).__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        _ = outputs.nonsense


def test_built_in_outputs_are_imported_only_when_a_url_names_them():
    code = (
        "import sys; from mouth_live.realtime.outputs.schemes import make_output; make_output('udp://127.0.0.1:1')\n"
        "print([name for name in sys.modules if name.startswith('mouth_live.realtime.outputs.')])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for module in ("osc", "mqtt", "obs", "keyboard", "vtube_studio", "websocket_server", "event_commands", "dry_run"):
        assert f"outputs.{module}'" not in loaded

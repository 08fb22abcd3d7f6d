"""The documents: every command and snippet runs, every link leads somewhere, and the limits of length are kept.

A command runs in a folder that has what it names: ``talk.mp4``, ``recordings/``, ``faces/``, ``mine.tflite`` and so on.
:data:`STAND_INS` says what takes the place of a camera and of a person. What cannot run in a test is in
:data:`NOT_RUN`, with the reason; it must still be a command line that the program accepts.
"""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import click
import cv2
import pytest
from conftest import REPOSITORY
from held_clip import write_clip
from talking import free_port

from mouth_live import realtime
from mouth_live.realtime.commands.cli import cli

DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "MODEL_CARD.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
TEXTS = {path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
LANGUAGES = {"sh", "python", "toml", "json", "js", "text"}  # js needs a browser; text is a drawing

LONG = "trains for minutes or hours; the same line with other options is run in test_own_labels_and_a_new_network"
SET_UP = "installs packages from the network; .ci/run does it"
TOOLS = "a tool's own command on the whole repository; .ci/run does it"
MINUTES = "a benchmark of minutes"
MEDIAPIPE = "needs mediapipe and its model file"
CHAIN = "run in test_own_labels_and_a_new_network"
DOCKER = "needs Docker; tests/test_deploy.py checks the file"
HOME = "writes into the home folder"
GPU = "needs a GPU; tests/test_batches.py and tests/test_decoded_on_gpu.py have a made one"
CLUSTER = "needs a cluster; tests/test_cluster.py has one"
NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/mouth-live demo": SET_UP,
    "python3 -m venv .venv-test && .venv-test/bin/pip install -e '.[train,apps,keys,test]' "
    "&& .venv-test/bin/python -m pytest": SET_UP,
    "python3 -m venv .venv && .venv/bin/pip install -e '.[train,apps,keys,test,lint]'": SET_UP,
    "sudo apt-get install ffmpeg strace xvfb xdotool x11-utils mosquitto mosquitto-clients zsh fish libegl1 libgles2 "
    "chromium": SET_UP,
    "pip install '.[train]'": SET_UP,
    "pipx install '.[web,report,parquet]'": SET_UP,
    "uvx --from . mouth-live demo": SET_UP,
    "pip wheel --no-deps -w dist .": SET_UP,
    "uvx --from dist/mouth_live-*.whl mouth-live demo --no-window": SET_UP,
    'pipx install "$(echo dist/mouth_live-*.whl)[web,report,parquet]"': SET_UP,
    "docker build -f docs/deploy/Dockerfile -t mouth-live .": DOCKER,
    'docker run --rm --network none -v "$PWD:/data" mouth-live process recordings/ -o tables/': DOCKER,
    "install -Dm644 docs/deploy/mouth-live.desktop ~/.local/share/applications/mouth-live.desktop": HOME,
    "install -Dm644 docs/deploy/mouth-live.svg ~/.local/share/icons/hicolor/scalable/apps/mouth-live.svg": HOME,
    "pip install '.[cluster]'": SET_UP,
    "dask scheduler --port 8786": CLUSTER,
    "dask worker tcp://node1:8786 --nworkers 16 --nthreads 1": CLUSTER,
    "mouth-live process recordings/ -o tables/ --cluster tcp://node1:8786": CLUSTER,
    "python -m pytest": TOOLS,
    "python -m pytest -n 0 tests/test_crop.py": TOOLS,
    "python -m pytest -m slow": TOOLS,
    "ruff check . && ruff format --check .": TOOLS,
    "basedpyright": TOOLS,
    "bash .ci/run": TOOLS,
    "python tests/every_output.py write before/ --program old-venv/bin/mouth-live": MINUTES,
    "python tests/every_output.py write after/": MINUTES,
    "python tests/every_output.py compare before/ after/": "compares what the two lines before it made",
    "python tests/benchmarks/speed.py --work clips/": MINUTES,
    "python tests/benchmarks/video_quality.py": MINUTES,
    "python tests/benchmarks/lip_activity.py score": MINUTES,
    "pip install '.[gpu]'": SET_UP,
    "pip wheel --no-deps -w wheels .": SET_UP,
    "pip download -d wheels '.[gpu]'": SET_UP,
    "pip install --no-index --find-links wheels 'mouth-live[gpu]'": SET_UP,
    "mouth-live process recordings/ -o tables/ --device gpu": GPU,
    "python tests/benchmarks/device.py --work clips/ --json device.json": MINUTES,
    "python tests/benchmarks/turned_mouths.py": MINUTES,
    "python -m mouth_live.models.training.landmarks faces/ --model face_landmarker.task": MEDIAPIPE,
    "python -m mouth_live.models.training.landmarks faces/ --attention-mesh -o mesh.npz": MEDIAPIPE,
    "mouth-live train --data faces/ --landmarks landmarks.npz --landmarks mesh.npz --seed 62": LONG,
    "mouth-live train --preset face-check --data faces/": LONG,
    "mouth-live export runs/face-check -o face_check.tflite": LONG,
    "mouth-live train --from shipped --data mine.csv": CHAIN,
    "mouth-live export runs/fine-tuned -o mine.tflite": CHAIN,
    "mouth-live train --data faces/": CHAIN,
    "mouth-live export runs/compact -o mine.tflite": CHAIN,
    "mouth-live train --data faces/ --seed 62": LONG,
    "mouth-live export runs/compact -o openness_compact.tflite --keep faces/": LONG,
    "mouth-live train --from shipped --data faces/ --run runs/further": LONG,
    "mouth-live train --data faces/ --exclude lfw --run runs/without-lfw": LONG,
    "mouth-live train --data faces/ --permissive --run runs/permissive": LONG,
    "mouth-live train --data faces/ --preset reference": LONG,
    "mouth-live train --data faces/ --folds 5": LONG,
    "mouth-live evaluate runs/compact/left_out.csv --data faces/ --part train": "reads what --folds 5 made",
}
LIVE = r"^mouth-live(?= --(?!version|help)|$)"
STAND_INS = {
    r"--camera 0\b": "--camera talk.mp4",  # a file at its own pace
    LIVE + r"(?!.*--camera)": "mouth-live --camera talk.mp4",
    LIVE + r"(?!.*--no-window)": "mouth-live --no-window",  # tests/test_window.py has the window
    r"^mouth-live events --camera": "mouth-live events --preset talk --camera",
    r"^mouth-live calibrate": "mouth-live calibrate --camera closed-then-wide.mp4 --seconds 1 --no-window --overwrite",
    r"^mouth-live doctor": "mouth-live doctor --camera demo.mp4 --seconds 1",
    r"^mouth-live (?=\w+ tables/)": "mouth-live process recordings/ -o tables/ && mouth-live ",
    r":8765\b": ":{port}",  # a free one: the server listens
}
ENDS = {  # exit code and a word of the message, where it is not 0
    "mouth-live devices": ({0, 1}, ""),  # 1 where there is no camera
    "mouth-live label me.mp4 -o mine.csv": ({1}, "no display"),
    "mouth-live doctor --to osc://127.0.0.1:9000 --to mqtt://127.0.0.1/mouth-live": ({1}, "broken: output"),
}
DISPLAY = re.compile(r"key:|push_to_talk|desk\.toml")  # lines that press keys


@dataclass(frozen=True)
class Snippet:
    """A block of a document; ``line`` is that of its first line, from 1."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def snippets(document: str, text: str) -> Iterator[Snippet]:
    """Yield the fenced blocks, and the indented ones, which are commands."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        fence = re.fullmatch(r"( *)```(\w*)", lines[number])
        first = number + 1 if fence else number
        if fence:
            end = next(n for n in range(first, len(lines)) if lines[n].strip() == "```")
            yield Snippet(document, first + 1, fence[2], "\n".join(x.removeprefix(fence[1]) for x in lines[first:end]))
            number = end
        elif lines[number].startswith("    ") and not lines[number - 1].strip():
            end = next(n for n in range(first, len(lines)) if not lines[n].startswith("    "))
            yield Snippet(document, first + 1, "sh", "\n".join(x.removeprefix("    ") for x in lines[first:end]))
            number = end
        number += 1


SNIPPETS = [snippet for document, text in TEXTS.items() for snippet in snippets(document, text)]
COMMANDS = list(dict.fromkeys(x for s in SNIPPETS if s.language == "sh" for x in s.text.splitlines() if x.strip()))
"""Each line once, in the order of the documents; no line goes on in the next."""
PROGRAMS = [snippet for snippet in SNIPPETS if snippet.language == "python"]


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory, demo_clip: Path) -> Path:
    """What the documents' commands name, made once."""
    folder = tmp_path_factory.mktemp("materials")
    cut = ["ffmpeg", "-v", "error", "-ss", "2.4", "-t", "0.6", "-i", demo_clip, "-c:v", "libx264", folder / "talk.mp4"]
    subprocess.run(list(map(str, cut)), check=True)
    shutil.copy(demo_clip, folder / "demo.mp4")
    shutil.copy(folder / "talk.mp4", folder / "me.mp4")
    for name in ("monday", "tuesday"):
        (folder / "recordings" / name).mkdir(parents=True)
        shutil.copy(folder / "talk.mp4", folder / "recordings" / name / "talk.mp4")
    for source, table in (("talk.mp4", "talk.csv"), ("recordings", "made")):
        process = [sys.executable, "-m", "mouth_live.realtime", "process", folder / source, "-o", folder / table]
        subprocess.run(list(map(str, process)), check=True, capture_output=True)
    write_clip(folder / "closed-then-wide.mp4", 0.0, 0.9, seconds=1.2)
    _write_faces(folder / "faces", demo_clip)
    shutil.copy(folder / "faces" / "0.jpg", folder / "photo.jpg")
    weights = REPOSITORY / "models" / "weights"
    for name in ("mine", "openness_compact"):
        for suffix in (".tflite", ".json"):
            shutil.copy(weights / f"openness_compact{suffix}", folder / f"{name}{suffix}")
    profile = {"name": "anna", "closed": 0.01, "wide": 0.9, "model": "openness_compact"}
    (folder / "profiles").mkdir()
    (folder / "profiles" / "anna.json").write_text(json.dumps(profile))
    (desk,) = [s.text for s in SNIPPETS if s.document == "docs/outputs.md" and s.language == "toml"]
    (folder / "desk.toml").write_text(desk)
    _write_programs(folder / "bin")
    for name in ("docs", "tests"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


def _write_programs(folder: Path) -> None:
    """Put the programs that the documents call where a shell finds them."""
    folder.mkdir()
    scripts = {
        "mouth-live": f'exec "{sys.executable}" -m mouth_live.realtime "$@"',
        "python": f'exec "{sys.executable}" "$@"',
        "notify-send": "exit 0",
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def _write_faces(folder: Path, clip: Path) -> None:
    """Labelled pictures of the demo's face; the labels are made up."""
    folder.mkdir()
    columns = ["file", "set", "part", "person", "gap_ratio", "landmarker_gap_ratio", "mouth_points_hidden"]
    columns += ["eye1_x", "eye1_y", "eye2_x", "eye2_y"]
    video = cv2.VideoCapture(str(clip))
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, columns, restval="")
        rows.writeheader()
        for i in range(32):
            cv2.imwrite(str(folder / f"{i}.jpg"), video.read()[1])
            part = "test" if i >= 26 else "train"
            rows.writerow({"file": f"{i}.jpg", "set": "a", "part": part, "person": i, "gap_ratio": 0.02 * (i % 20)})
    video.release()


@pytest.fixture
def folder(materials: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for one command, with links to the materials; the current one."""
    for path in materials.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "configuration"
    shutil.copytree(materials / "profiles", config / "profiles")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOUTH_LIVE_CONFIG", str(config))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.setenv("PATH", f"{materials / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def with_stand_ins(line: str) -> str:
    """Return the line with what takes the place of a camera and of a person."""
    for pattern, stand_in in STAND_INS.items():
        line = re.sub(pattern, stand_in, line)
    return line.replace("{port}", str(free_port()))


def run(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line in a shell."""
    shell = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)


# --- commands


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=pytest.mark.display if DISPLAY.search(line) else ())
        for line in COMMANDS
        if line not in NOT_RUN
    ],
)
def test_a_command_runs(line, folder, request, monkeypatch):
    if DISPLAY.search(line):
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("screen"))
    done = run(with_stand_ins(line))
    codes, message = ENDS.get(line, ({0}, ""))
    assert done.returncode in codes, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", sorted(NOT_RUN))
def test_a_command_that_is_not_run_is_accepted(line):
    for part in line.split(" && "):
        words = shlex.split(part)
        if Path(words[0]).name == "mouth-live":
            accept(words[1:])
        elif words[0] == "python" and words[1:3] != ["-m", "pytest"]:
            accept_program(words[1:])


def accept(words: list[str]) -> None:
    """Parse a command line; raises UsageError where the program would."""
    root = click.Context(cli, info_name="mouth-live")
    command = cli.commands[words[0]]
    command.make_context(words[0], words[1:], parent=root)


def accept_program(words: list[str]) -> None:
    """Check that a module or script is there and has the options that it is given."""
    name = words[1].removeprefix("mouth_live.").replace(".", "/") + ".py" if words[0] == "-m" else words[0]
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    for word in words:
        if word.startswith("--"):
            assert f'"{word}"' in text, f"{name} has no option {word}"


def test_no_exception_is_stale():
    lines = set(COMMANDS)
    assert set(NOT_RUN) - lines == set()
    assert set(ENDS) - lines == set()
    run_lines = lines - set(NOT_RUN)
    for pattern in STAND_INS:
        assert any(re.search(pattern, line) for line in run_lines), pattern


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_own_labels_and_a_new_network(folder, demo_clip, monkeypatch):
    # The lines of docs/training.md in their order, with few steps and a short trunk.
    from mouth_live.models.training import compact, compact_training, fine_tune, network, trunk
    from mouth_live.models.training.network import Phase

    quick = replace(network.CompactPreset("compact"), batch=16, phases=(Phase(1, 1e-3), Phase(1, 1e-3)))
    monkeypatch.setitem(network.PRESETS, "compact", quick)
    monkeypatch.setattr(compact_training, "STEPS", 4)
    monkeypatch.setattr(trunk, "BLOCKS", 0)
    monkeypatch.setattr(compact, "load_pretrained", lambda model: None)
    monkeypatch.setattr(fine_tune, "VARIATIONS", 3)
    _label(folder / "mine.csv", demo_clip)
    for name in ("mine.tflite", "mine.json"):
        (folder / name).unlink()
    training = "\n".join(s.text for s in SNIPPETS if s.document == "docs/training.md").splitlines()
    chain = [line for line in training if NOT_RUN.get(line) == CHAIN]
    assert len(chain) == 4
    for line in chain:
        for name in ("mine.tflite", "mine.json", "mine.keras"):
            (folder / name).unlink(missing_ok=True)  # two lines export to one name; a file that exists is kept
        cli.main(shlex.split(line)[1:], "mouth-live", standalone_mode=False)
    assert (folder / "mine.tflite").is_file()
    done = run("mouth-live process talk.mp4 --model mine.tflite")
    assert done.returncode == 0, done.stderr


def _label(table: Path, clip: Path) -> None:
    """Label 30 frames as the network reads them, on another scale."""
    from mouth_live.models.training.own_labels import OwnLabel, write_own_labels
    from mouth_live.realtime.commands.labelling.candidates import find_candidates, spread_out

    chosen = spread_out(find_candidates(clip, realtime.AnalysisSettings()), 30)
    labels = [OwnLabel(str(clip), c.frame, c.time, c.box, round(0.15 + 0.8 * c.openness, 3)) for c in chosen]
    write_own_labels(table, labels)


# --- Python and other languages


@pytest.mark.parametrize("snippet", PROGRAMS, ids=str)
def test_a_python_snippet_runs(snippet, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet.text], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_block_has_a_known_language():
    assert {str(snippet): snippet.language for snippet in SNIPPETS if snippet.language not in LANGUAGES} == {}


def test_json_and_toml_are_valid():
    for snippet in SNIPPETS:
        if snippet.language == "json":
            assert all(json.loads(line)["type"] for line in snippet.text.splitlines())
        if snippet.language == "toml":
            assert tomllib.loads(snippet.text)


def test_the_configuration_file_of_the_reference_is_accepted(tmp_path):
    from mouth_live.realtime.commands.config_file import read_config

    (text,) = [s.text for s in SNIPPETS if s.document == "docs/reference.md" and s.language == "toml"]
    path = tmp_path / "some.toml"
    path.write_text(text)
    values = read_config(path, cli, cli.commands["events"])
    assert (values["camera"], values["to"]) == ("1", ["key:space", "ws://127.0.0.1:8765"])


# --- what the documents name


def options(command: click.Command) -> set[str]:
    """Return the options that a command shows, in their long form."""
    shown = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    return {name for option in shown for name in option.opts if name.startswith("--")} - {"--version"}


def section(text: str, title: str) -> str:
    """Return a section without its subsections."""
    return re.split(r"\n#+ ", text.split(f"\n{title}\n", 1)[1], maxsplit=1)[0]


def options_in(text: str) -> set[str]:
    """Return the options in the first column of a section's table."""
    return {option for row in re.findall(r"^\|(.*?) \| ", text, re.M) for option in re.findall(r"--[a-z-]+", row)}


@pytest.mark.parametrize("name", ["mouth-live", *(f"mouth-live {name}" for name in sorted(cli.commands))])
def test_the_reference_has_every_option(name):
    reference = TEXTS["docs/reference.md"]
    command = cli.commands[name.split()[1]] if " " in name else cli
    documented = options_in(section(reference, f"### {name}"))
    for group in ("Analysis options", "Event options", "Output options"):
        text = section(reference, f"### {group}")
        if f"`{name.removeprefix('mouth-live ')}`" in text.split("\n\n|")[0]:
            documented |= options_in(text)
    if command.name in {"mouth-live", "cli", "events", "serve"}:
        documented |= {"--face"}
    if command.name == "label":
        documented -= {"--profile"}
    assert documented == options(command)


def test_options_and_files_in_the_text_exist():
    known = {option for command in (cli, *cli.commands.values()) for option in options(command)}
    known |= {"--version", "--help", "--no-deps", "--lamps", "--small"}  # pip's, and a benchmark's
    for document, text in TEXTS.items():
        for code in re.findall(r"`([^`\n]+)`", text):
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", code):
                assert option in known, f"{document}: {code}"
            if re.fullmatch(r"(models|realtime|tests|docs)/[\w./-]+", code):
                assert (REPOSITORY / code).exists(), f"{document}: {code}"


# --- links


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives a text's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    for document, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path, _, anchor = target.partition("#")
            if target.startswith("https://"):
                continue
            linked = ((REPOSITORY / document).parent / path).resolve() if path else REPOSITORY / document
            assert linked.exists(), f"{document}: {target}"
            if anchor:
                assert anchor in anchors(linked.read_text(encoding="utf-8")), f"{document}: {target}"


def test_pictures_in_the_documents_are_small():
    pictures = sorted((REPOSITORY / "docs" / "pictures").iterdir())
    # tests/make_page_picture.py, tests/make_doc_pictures.py and tests/benchmarks/activity_roc.py make them
    assert [path.name for path in pictures] == ["activity.webp", "page.jpg", "report.webp", "themes.webp"]
    assert all(path.stat().st_size < 200_000 for path in pictures)


def test_every_document_is_linked_from_the_readme():
    for name in TEXTS:
        assert name == "README.md" or f"]({name}" in TEXTS["README.md"], name


# --- length, and what must stay as it is


def test_readme_and_card_are_short():
    readme, card = TEXTS["README.md"], TEXTS["MODEL_CARD.md"]
    assert len(readme.split()) <= 700
    assert len(card.splitlines()) <= 120
    assert len(card.split()) <= 1500
    (code,) = [s.text for s in PROGRAMS if s.document == "README.md"]
    assert len(code.splitlines()) <= 8
    glossary = section(TEXTS["CONTRIBUTING.md"], "## Glossary")
    assert glossary.count("\n| ") - 1 <= 20


def test_the_two_set_up_commands_stay():
    indented = {s.text for s in SNIPPETS if s.document == "README.md" and s.language == "sh"}
    assert {line for line in NOT_RUN if line.startswith("python3 -m venv") and "lint" not in line} <= indented


def test_the_card_is_of_the_weights_that_ship():
    card = TEXTS["MODEL_CARD.md"]
    of_weights = json.loads((REPOSITORY / "models" / "weights" / "openness_compact.json").read_text())
    assert of_weights["sha256"] in card
    ratios = [float(row) for row in re.findall(r"^\| (?:merl_rav|helen|afw),.*\| \*\*(\d\.\d+)\*\*", card, re.M)]
    assert len(ratios) == 3
    assert prod(ratios) ** (1 / 3) == pytest.approx(1.51, abs=0.01)
    for document in ("README.md", "MODEL_CARD.md", "docs/experiments.md"):
        outside = [number in TEXTS[document] for number in ("0.95", "1.21", "1.90", "1.30")]
        assert all(outside), document

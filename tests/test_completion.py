"""Shell completion, by the Tab key of real shells."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from shells import Shell

SHELLS = {  # how each is started, and what is typed so that it can complete
    "bash": (["bash", "--norc", "-i"], "PS1='READY> '; source ./script\n"),
    "zsh": (["zsh", "-f", "-i"], "PROMPT='READY> '; autoload -U compinit; compinit -u -D; source ./script\n"),
    "fish": (["fish", "--no-config", "-i"], "function fish_prompt; echo 'READY> '; end; source ./script\n"),
}
TYPED = [
    ("mouth-live proc\t", r"mouth-live process "),
    ("mouth-live process ta\t", r"process talk\.mp4 "),
    ("mouth-live process my\t", r"process my\\ talk\.mp4 "),
    ("mouth-live process talk.mp4 --anno\t", r"--annotate "),
    ("mouth-live --theme br\t", r"--theme broadcast "),
    ("mouth-live --theme=br\t", r"--theme=broadcast "),
    ("mouth-live --camera ta\t", r"--camera talk\.mp4 "),
    ("mouth-live process talk.mp4 -o fol\t", r"-o folder/"),
    ("mouth-live events --model openness_c\t", r"openness_compact "),
    ("mouth-live --profile an\t", r"--profile anna "),
]


@pytest.fixture(params=sorted(SHELLS))
def shell(request, tmp_path, mouth_live):
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"not installed: {name}")
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "mouth-live"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mouth_live.realtime "$@"\n')
    program.chmod(0o755)
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    for file in ("talk.mp4", "my talk.mp4"):
        (here / file).touch()
    done = mouth_live("completion", name)
    assert (done.returncode, done.stderr) == (0, "")
    (here / "script").write_text(done.stdout)
    (home / "profiles").mkdir()
    (home / "profiles" / "anna.json").write_text(
        '{"name": "anna", "closed": 0.0, "wide": 0.9, "model": "openness_compact"}'
    )
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"HOME": str(home), "PATH": path, "MOUTH_LIVE_CONFIG": str(home)}
    words, setup = SHELLS[name]
    started = Shell(words, here, environment)
    try:
        started.wait_for(r"[$%#>] ?$")
        started.type(setup)
        started.wait_for(r"(?s)script.*READY> ?$")
        yield started
    finally:
        started.close()


def test_the_tab_key_completes(shell):
    for typed, expected in TYPED:
        shell.type(typed)
        shell.wait_for(expected)
        shell.type("\x15")  # clears the line
        time.sleep(0.1)


@pytest.mark.parametrize(
    "words", ["talk.mp4 ", "nonsense --", "process --config missing.toml ", "--camera 0 --no-such "]
)
def test_what_cannot_be_completed_writes_no_error(mouth_live, words):
    asked = words.split(" ")
    variables = {"COMP_WORDS": "\n".join(["mouth-live", *asked]), "COMP_CWORD": str(len(asked))}
    environment = os.environ | variables | {"_MOUTH_LIVE_COMPLETE": "bash_complete"}
    done = mouth_live(env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_completion_loads_neither_networks_nor_cameras(tmp_path):
    variables = {"COMP_WORDS": "mouth-live\nprocess\n--th", "COMP_CWORD": "2", "_MOUTH_LIVE_COMPLETE": "bash_complete"}
    code = "import sys, mouth_live.realtime.commands.cli as cli\ntry: cli.main()\nexcept SystemExit: pass\n"
    code += "print([name for name in ('cv2', 'numpy', 'ai_edge_litert') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "plain,--theme\n[]\n"


def test_another_shell_is_wrong_usage_in_one_line(mouth_live):
    for words in (["completion"], ["completion", "tcsh"]):
        done = mouth_live(*words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert all(name in done.stderr for name in ("bash", "zsh", "fish"))


def test_the_program_asks_for_no_completion_by_itself(mouth_live):
    done = mouth_live("--version", env=os.environ | {"_MOUTH_LIVE_COMPLETE": ""})
    assert done.stdout.startswith("mouth-live, version")

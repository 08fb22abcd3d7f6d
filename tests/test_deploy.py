"""Tests of what installs the program for everyday use: the files name what is there, and commands that exist."""

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from mouth_live.realtime.commands.cli import cli

FOLDER = REPOSITORY / "docs" / "deploy"


def accepts(arguments: list[str]) -> bool:
    """Return whether the command line knows a command and its options; ``--help`` ends it before any work."""
    return CliRunner().invoke(cli, [*arguments, "--help"]).exit_code == 0


def entries(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(FOLDER / name, encoding="utf-8")
    return parser


def test_the_dockerfile_copies_what_the_build_needs_and_names_extras_that_exist():
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.+) /src\S*$", text, re.M) for name in line.split()]
    assert all((REPOSITORY / name).exists() for name in copied)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    homes = {folder.split("/")[0] for folder in project["tool"]["setuptools"]["package-dir"].values()}
    assert {*homes, "pyproject.toml", project["project"]["readme"], "LICENSE"} <= set(copied)
    (extras,) = re.findall(r"/src\[(.+)\]", text)
    assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])
    commands = [shlex.split(line) for line in re.findall(r"docker run .* mouth-live (\w.*)$", text, re.M)]
    assert len(commands) == 2
    assert all(accepts(command) for command in commands)


def test_the_menu_entry_is_valid_and_has_its_icon():
    if shutil.which("desktop-file-validate"):
        subprocess.run(["desktop-file-validate", FOLDER / "mouth-live.desktop"], check=True)
    entry = entries("mouth-live.desktop")["Desktop Entry"]
    assert entry["Exec"] == "mouth-live"
    icon = ElementTree.parse(FOLDER / f"{entry['Icon']}.svg").getroot()
    assert icon.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_unit_starts_a_command_that_exists():
    program, *arguments = shlex.split(entries("mouth-live.service")["Service"]["ExecStart"])
    assert program == "%h/.local/bin/mouth-live"
    assert accepts(arguments)


@pytest.mark.parametrize("name", ["Dockerfile", "mouth-live.desktop", "mouth-live.service", "mouth-live.svg"])
def test_the_document_links_each_file_or_names_it(name):
    assert name in (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")

"""--config FILE.toml: any option, from a file; what is given on the command line wins."""

import json

import pytest
from talking import UdpReceiver


@pytest.mark.slow
def test_options_from_a_file(mouth_live, short_clip, tmp_path):
    with UdpReceiver() as udp, UdpReceiver() as other:
        (tmp_path / "my.toml").write_text(
            f'camera = "{short_clip}"\nno-window = true\ncsv = "mine.csv"\nto = ["udp://127.0.0.1:{udp.port}"]\n'
            '[events]\nvalues = true\n[process]\noutput = "out.csv"\n'
        )
        done = mouth_live("--config", "my.toml")
        assert done.returncode == 0, done.stderr
        assert len((tmp_path / "mine.csv").read_text().splitlines()) > 5
        assert json.loads(udp.next())["type"] == "value"
        udp.rest()
        done = mouth_live("--config", "my.toml", "--csv", "given.csv", "--to", f"udp://127.0.0.1:{other.port}")
        assert done.returncode == 0, done.stderr
        assert json.loads(other.next())["type"] == "value"
        assert udp.rest(0.1) == []
        assert (tmp_path / "given.csv").exists()
        done = mouth_live("events", short_clip, "--config", "my.toml")  # the file's camera gives way to FILE
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["type"] for line in done.stdout.splitlines()} == {"value"}


@pytest.mark.parametrize(("text", "code", "says"), [
    ("mirrored = true", 2, "my.toml: mirrored: no such option; did you mean mirror? mouth-live --help and mouth-live "
     "COMMAND --help list them all\n"),
    ("On-Star = 1", 2, "my.toml: On-Star: no such option; did you mean on-start or on-stop? mouth-live"),
    ("xyzzy = 1", 2, "my.toml: xyzzy: no such option; mouth-live --help and mouth-live COMMAND --help list them all\n"),
    ("[events]\nmirror = true", 2, "[events] mirror: no such option; mouth-live events --help lists them all\n"),
    ("[events]\nvalue = true", 2, "my.toml: [events] value: no such option; did you mean values? mouth-live events"),
    ("[eventz]\nvalues = true", 2, "my.toml: [eventz]: no such command; did you mean events? mouth-live --help"),
    ("mirror = ", 2, "my.toml: is not a TOML file"),
    ("mirror = 1", 2, "my.toml: mirror: expected true or false, got 1"),
    ("csv = [1, 2]", 2, "my.toml: csv: expected a string or a number, got [1, 2]"),
    ("config = 'other.toml'", 2, "my.toml: config: no such option"),
    ("size = 'big'", 2, "expected WIDTHxHEIGHT such as 1280x720, got 'big'"),
    ("to = 'udp://127.0.0.1'", 2, "--to udp://127.0.0.1: the port is missing"),
    (None, 1, "my.toml: cannot read this config file"),
])  # fmt: skip
def test_what_is_wrong_in_it(mouth_live, tmp_path, text, code, says):
    if text is not None:
        (tmp_path / "my.toml").write_text(text)
    done = mouth_live("--no-window", "--config", "my.toml")
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr

"""VTube Studio: not tried with the app; a server checks each message against the published API."""

import logging
import os
import stat
import threading
from contextlib import ExitStack

import pytest
from app_servers import VTubeStudioServer, token_files
from talking import START, analysis, wait_for

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_outputs


@pytest.fixture(autouse=True)
def config(tmp_path, monkeypatch):
    """The user's configuration folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_the_token_is_asked_for_once_and_kept_for_this_user_alone(config, caplog):
    caplog.set_level(logging.INFO, "mouth_live")
    with VTubeStudioServer() as app:
        for _ in range(2):
            with FanOut(make_outputs([f"vts://127.0.0.1:{app.port}"])) as apps:
                apps.take(analysis(0.5, {0: 0.25}))
                wait_for(lambda: ("MouthLiveOpen", 0.25) in app.values)
            wait_for(lambda: app.values[-1] == ("MouthLiveOpen", 0.0))
            app.values.clear()
        assert app.problems == []
    assert app.asked == 1
    assert app.parameters["MouthLiveOpen"]["max"] == 1
    (token,) = token_files(config)
    assert token.read_text() == "adcd-123-ef09"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600 or os.name == "nt"
    assert caplog.text.count("click Allow there") == 1


def test_the_value_is_sent_again_within_a_second_without_news():
    with VTubeStudioServer() as app, FanOut(make_outputs([f"vts://127.0.0.1:{app.port}"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}))
        wait_for(lambda: len(app.times) >= 3, 4)
    assert max(b - a for a, b in zip(app.times, app.times[1:], strict=False)) < 0.9


def test_one_of_vtube_studios_own_parameters_is_not_created():
    with VTubeStudioServer() as app, FanOut(make_outputs([f"vts://127.0.0.1:{app.port}?parameter=MouthOpen"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}))
        wait_for(lambda: ("MouthOpen", 0.25) in app.values)
    assert (app.parameters, app.problems) == ({}, [])


def test_a_no_is_taken_for_a_no(caplog, config):
    with VTubeStudioServer(allow=False) as app, FanOut(make_outputs([f"vts://127.0.0.1:{app.port}"])) as apps:
        wait_for(lambda: "it gets nothing more" in caplog.text)
        apps.take(analysis(0.5, {0: 0.25}))
    assert app.asked == 1
    assert "User has denied API access" in caplog.text
    assert token_files(config) == []


def test_an_old_token_is_replaced(config):
    with VTubeStudioServer(token="new") as app:
        (config / "mouth-live").mkdir()
        (config / "mouth-live" / f"vtube-studio-127.0.0.1-{app.port}.token").write_text("old")
        with FanOut(make_outputs([f"vts://127.0.0.1:{app.port}"])) as apps:
            apps.take(analysis(0.5, {0: 0.25}))
            wait_for(lambda: app.values)
    assert [path.read_text() for path in token_files(config)] == ["new"]


def test_the_end_does_not_wait_for_the_users_answer():
    with VTubeStudioServer(wait=threading.Event()) as app:
        before = threading.active_count()
        with FanOut(make_outputs([f"vts://127.0.0.1:{app.port}"])) as apps:
            apps.take(analysis(0.5, {0: 0.25}))
            wait_for(lambda: app.asked)
        assert not [t.name for t in threading.enumerate() if t.name.startswith("mouth-live")]
        app.wait.set()
    assert before


def test_it_connects_again_when_the_app_is_started_again(caplog):
    caplog.set_level(logging.INFO, "mouth_live")
    with ExitStack() as running:
        with VTubeStudioServer() as app:
            port = app.port
            apps = running.enter_context(FanOut(make_outputs([f"vts://127.0.0.1:{port}"])))
            apps.take(analysis(0.5, {0: 0.25}, [START]))
            wait_for(lambda: app.values)
        wait_for(lambda: "trying again" in caplog.text)
        with VTubeStudioServer(port) as app:
            apps.take(analysis(0.6, {0: 0.5}))
            wait_for(lambda: ("MouthLiveOpen", 0.5) in app.values)
            assert app.asked == 0
    assert [r.levelname for r in caplog.records if "Allow" not in r.getMessage()][:2] == ["WARNING", "INFO"]


def test_something_else_that_listens_is_told(caplog):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:

        def hang_up():
            other.accept()[0].close()

        listener = threading.Thread(target=hang_up)
        listener.start()
        with FanOut(make_outputs([f"vts://127.0.0.1:{other.getsockname()[1]}"])):
            wait_for(lambda: "does not answer as a WebSocket server" in caplog.text)
        listener.join()

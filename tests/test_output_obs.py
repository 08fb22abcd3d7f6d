"""OBS: a server checks each message against the published protocol; tests/benchmarks/obs_studio.py tries the app."""

import logging
from contextlib import ExitStack

import pytest
from app_servers import ObsServer
from talking import START, STOP, analysis, wait_for

from mouth_live.models.errors import UsageError
from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.obs import authentication
from mouth_live.realtime.outputs.schemes import make_outputs


def test_a_scene_is_switched_to_and_back():
    with ObsServer() as app:
        with FanOut(make_outputs([f"obs://127.0.0.1:{app.port}?scene=Talk"])) as apps:
            apps.take(analysis(0.5, {0: 0.25}))
            apps.take(analysis(0.6, {0: 0.25}, [START]))
            wait_for(lambda: app.scene == "Talk")
            apps.take(analysis(0.7, {0: 0.25}, [STOP]))
            wait_for(lambda: app.scene == "Quiet")
            apps.take(analysis(0.8, {0: 0.25}, [START]))
            wait_for(lambda: app.scene == "Talk")
        wait_for(lambda: app.scene == "Quiet")  # the end
        assert app.problems == []
    assert [kind for kind, _ in app.requests].count("SetCurrentProgramScene") == 4


def test_the_idle_scene_holds_from_the_start_on():
    with ObsServer() as app, FanOut(make_outputs([f"obs://127.0.0.1:{app.port}?scene=Quiet&idle=Talk"])) as apps:
        apps.take(analysis(0.5, {0: 0.25}))
        wait_for(lambda: app.scene == "Talk")
        apps.take(analysis(0.6, {0: 0.25}, [START]))
        wait_for(lambda: app.scene == "Quiet")


def test_a_source_is_shown_and_hidden():
    with ObsServer(password="s p@ce") as app:
        url = f"obs://:s%20p%40ce@127.0.0.1:{app.port}?source=Bubble&scene=Quiet&kind=open"
        with FanOut(make_outputs([url])) as apps:
            apps.take(analysis(0.5, {0: 0.25}, [START]))
            wait_for(lambda: app.shown == {7: False})
            apps.take(analysis(0.6, {0: 0.9}, [("start", "open", 0)]))
            wait_for(lambda: app.shown == {7: True})
        wait_for(lambda: app.shown == {7: False})
        assert app.problems == []


def test_a_source_is_toggled_at_each_start():
    with ObsServer() as app:
        app.shown = {7: True}
        with FanOut(make_outputs([f"obs://127.0.0.1:{app.port}?source=Bubble&mode=toggle&kind=open"])) as apps:
            for time, shown in ((0.5, False), (1.5, True)):
                apps.take(analysis(time, {0: 0.9}, [("start", "open", 0)]))
                wait_for(lambda shown=shown: app.shown == {7: shown})
                apps.take(analysis(time + 0.5, {0: 0.1}, [("stop", "open", 0)]))
        assert (app.shown, app.problems) == ({7: True}, [])


@pytest.mark.parametrize("query", ["?scene=Talk&mode=toggle", "?source=Bubble&mode=wave"])
def test_a_wrong_mode_is_wrong_usage(query):
    with pytest.raises(UsageError, match="mode"):
        make_outputs([f"obs://127.0.0.1{query}"])


@pytest.mark.parametrize(("password", "query", "says"), [
    ("right", "?scene=Talk", "OBS wants a password; set MOUTH_LIVE_OBS_PASSWORD"),
    ("right", "?scene=Talk&wrong", "OBS says that the password is wrong"),
    (None, "?scene=Tlak", "OBS has no scene 'Tlak'; it has: Quiet, Talk"),
    (None, "?source=Bauble", "OBS cannot do GetSceneItemId: code 600"),
])  # fmt: skip
def test_what_obs_refuses_is_told_and_not_tried_again(monkeypatch, caplog, password, query, says):
    if "&wrong" in query:
        monkeypatch.setenv("MOUTH_LIVE_OBS_PASSWORD", "wrong")
    with ObsServer(password=password) as app:
        url = f"obs://127.0.0.1:{app.port}{query.removesuffix('&wrong')}"
        with FanOut(make_outputs([url])) as apps:
            wait_for(lambda: "it gets nothing more" in caplog.text)
            apps.take(analysis(0.6, {0: 0.25}, [START]))
    assert says in caplog.text
    assert caplog.text.count("\n") == 1


def test_it_connects_again_when_obs_is_started_again_in_mid_talk(caplog):
    caplog.set_level(logging.INFO, "mouth_live")
    with ExitStack() as running:
        with ObsServer() as app:
            port = app.port
            apps = running.enter_context(FanOut(make_outputs([f"obs://127.0.0.1:{port}?scene=Talk"])))
            apps.take(analysis(0.5, {0: 0.25}, [START]))
            wait_for(lambda: app.scene == "Talk")
        wait_for(lambda: "trying again" in caplog.text)
        with ObsServer(port) as app:
            wait_for(lambda: app.scene == "Talk")
            apps.take(analysis(0.6, {0: 0.25}, [STOP]))
            wait_for(lambda: app.scene == "Quiet")
    assert [record.levelname for record in caplog.records][:2] == ["WARNING", "INFO"]


def test_the_answer_to_the_challenge_is_the_protocols_example():
    salt, challenge = "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=", "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY="
    # Worked out with openssl: printf 'supersecretpassword%s' SALT | openssl dgst -sha256 -binary | base64, then again.
    assert authentication("supersecretpassword", salt, challenge) == "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="

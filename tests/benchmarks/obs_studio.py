"""Try the OBS output with OBS Studio itself, under Xvfb with software rendering.

    python tests/benchmarks/obs_studio.py        # needs obs (Debian: obs-studio) and Xvfb; half a minute

It starts OBS with two scenes, a source and a password in a folder of its own, switches, and prints what OBS says.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent.parent))

from talking import START, STOP, analysis, free_port

from mouth_live.realtime.outputs.fan_out import FanOut
from mouth_live.realtime.outputs.schemes import make_output, make_outputs

PASSWORD = "secret12"
SETTINGS = """[General]
FirstRun=true
LicenseAccepted=true
LastVersion=486539264
EnableAutoUpdates=false
[Basic]
Profile=Untitled
ProfileDir=Untitled
SceneCollection=Untitled
SceneCollectionFile=Untitled
[OBSWebSocket]
FirstLoad=false
ServerEnabled=true
AlertsEnabled=false
AuthRequired=true
"""
BUBBLE = {"name": "Bubble", "visible": True, "id": 1, "pos": {"x": 0.0, "y": 0.0}, "scale": {"x": 1.0, "y": 1.0}}
SCENES = {
    "name": "Untitled",
    "current_scene": "Quiet",
    "current_program_scene": "Quiet",
    "scene_order": [{"name": "Quiet"}, {"name": "Talk"}],
    "sources": [
        {"name": "Quiet", "id": "scene", "settings": {"items": [BUBBLE], "id_counter": 1}},
        {"name": "Talk", "id": "scene", "settings": {"items": [], "id_counter": 0}},
        {"name": "Bubble", "id": "color_source_v3", "versioned_id": "color_source_v3", "settings": {}},
    ],
}


def start(home, port, stack):
    """OBS with its scenes, under a virtual screen."""
    folder = home / ".config" / "obs-studio"
    (folder / "basic" / "profiles" / "Untitled").mkdir(parents=True)
    (folder / "basic" / "scenes").mkdir()
    (folder / "global.ini").write_text(f"{SETTINGS}ServerPort={port}\nServerPassword={PASSWORD}\n")
    (folder / "basic" / "profiles" / "Untitled" / "basic.ini").write_text("[General]\nName=Untitled\n")
    (folder / "basic" / "scenes" / "Untitled.json").write_text(json.dumps(SCENES))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    ours, theirs = os.pipe()
    screen = subprocess.Popen(["Xvfb", "-displayfd", str(theirs), "+extension", "GLX"], pass_fds=[theirs], **quiet)
    display = ":" + os.read(ours, 16).decode().strip()
    settings = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
    command = ["obs", "--multi", "--disable-updater", "--disable-missing-files-check"]
    obs = subprocess.Popen(command, env={"PATH": os.environ["PATH"]} | settings, cwd=home, **quiet)
    for process in (screen, obs):
        stack.callback(process.wait)
        stack.callback(process.terminate)


def main():
    """Start, switch, print."""
    with TemporaryDirectory() as home, ExitStack() as stack:
        port = free_port()
        start(Path(home), port, stack)
        url = f"obs://:{PASSWORD}@127.0.0.1:{port}"
        watch = make_output(f"{url}?scene=Talk")
        watch.prepare()
        for _ in range(60):
            try:
                watch.open(lambda: False)
                break
            except Exception:  # noqa: BLE001  not up yet
                time.sleep(0.5)
        stack.callback(watch.close)
        version = watch._request("GetVersion", {})
        print("OBS", version["obsVersion"], "with obs-websocket", version["obsWebSocketVersion"])
        item = {"sceneName": "Quiet", "sceneItemId": 1}
        looks = {"scene=Talk": watch._current_scene,
                 "source=Bubble": lambda: watch._request("GetSceneItemEnabled", item)["sceneItemEnabled"]}  # fmt: skip
        for query, look in looks.items():
            seen = []
            with FanOut(make_outputs([f"{url}?{query}"])) as apps:
                for i, events in enumerate(([], [START], [STOP], [START])):
                    apps.take(analysis(i / 10, {0: 0.5}, events))
                    time.sleep(0.5)
                    seen.append(look())
            print(query, dict(zip(("before", "start", "stop", "start again", "end"), (*seen, look()), strict=True)))


if __name__ == "__main__":
    main()

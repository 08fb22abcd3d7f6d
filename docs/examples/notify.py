"""Run: ``python docs/examples/notify.py [VIDEO]``. Show a notice when someone yawns.

The notice is on the desktop where notify-send reaches one, else on the terminal. Without VIDEO it uses the first
camera.
"""

import shutil
import subprocess
import sys
from contextlib import suppress

from mouth_live.models import MouthLiveError
from mouth_live.realtime import LipActivity, Pipeline, analyze, lip_events, preset


def notify(text: str) -> None:
    """Show a text on the desktop or the terminal."""
    program = shutil.which("notify-send")
    with suppress(subprocess.TimeoutExpired):  # no desktop answers it
        if program and subprocess.run([program, "mouth-live", text], check=False, timeout=5).returncode == 0:
            return
    sys.stdout.write(text + "\n")


def main(source: int | str) -> None:
    """Watch for mouths that are held wide for over a second."""
    pipeline = Pipeline(lips=LipActivity(preset("yawn")))
    for event in lip_events(analyze(source, pipeline)):
        if event.type == "start":
            notify(f"face {event.face_id} yawns at {event.time:.1f} s: time for a break?")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        try:
            main(sys.argv[1] if len(sys.argv) > 1 else 0)
        except MouthLiveError as error:
            sys.exit(str(error))

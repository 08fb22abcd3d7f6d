"""Tell when someone yawns: a notice on the desktop where there is notify-send, else a line on the terminal.

python docs/examples/notify.py [VIDEO]
"""

import shutil
import subprocess
import sys

from mouth_live.realtime import LipActivity, Pipeline, analyze, lip_events, preset


def tell(text: str) -> None:
    """Show it on the desktop, or on the terminal."""
    program = shutil.which("notify-send")
    if program:
        subprocess.run([program, "mouth-live", text], check=False, timeout=5)
    else:
        sys.stdout.write(text + "\n")


def main(source: int | str) -> None:
    """Watch for mouths held wide for over a second."""
    pipeline = Pipeline(lips=LipActivity(preset("yawn")))
    for event in lip_events(analyze(source, pipeline)):
        if event.type == "start":
            tell(f"face {event.face_id} yawns at {event.time:.1f} s: time for a break?")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else 0)

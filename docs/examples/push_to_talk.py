"""Run: ``python docs/examples/push_to_talk.py [VIDEO]``. Hold a key while your lips move.

It needs pynput (the extra ``keys``) and a desktop. Without VIDEO it uses the first camera.
"""

import signal
import sys
from contextlib import suppress

from mouth_live.models import MouthLiveError
from mouth_live.realtime import FaceChoice, LipEvent, analyze, watch_lips

KEY = "f9"


def main(source: int | str) -> None:
    """Hold the key while the largest face talks, and release it whatever ends the program."""
    try:
        from pynput import keyboard
    except ImportError:  # there may be no display
        sys.exit("no keys to press: pip install 'mouth-live[keys]', and start this on a desktop")

    controller, key = keyboard.Controller(), keyboard.Key[KEY]

    def hold(event: LipEvent) -> None:
        if event.kind == "activity":
            (controller.press if event.type == "start" else controller.release)(key)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that SIGTERM releases the key too
    watch_lips(analyze(source), hold, FaceChoice("largest"))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        try:
            main(sys.argv[1] if len(sys.argv) > 1 else 0)
        except MouthLiveError as error:
            sys.exit(str(error))

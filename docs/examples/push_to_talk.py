"""Push to talk without hands: hold a key while the lips move. Needs pynput (``pip install 'mouth-live[keys]'``).

python docs/examples/push_to_talk.py [VIDEO]
"""

import signal
import sys

from mouth_live.realtime import FaceChoice, LipEvent, analyze, watch_lips

KEY = "f9"


def main(source: int | str) -> None:
    """Hold the key down while the largest face talks; it is let go whatever ends the program."""
    from pynput import keyboard

    hand, key = keyboard.Controller(), keyboard.Key[KEY]

    def hold(event: LipEvent) -> None:
        if event.kind == "activity":
            (hand.press if event.type == "start" else hand.release)(key)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that being ended lets the key go, too
    watch_lips(analyze(source), hold, FaceChoice("largest"))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else 0)

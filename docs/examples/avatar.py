"""Run: ``python docs/examples/avatar.py [VIDEO]``. A mouth in the terminal that opens with yours.

Without VIDEO it uses the first camera. Ctrl-C ends it.
"""

import sys

from mouth_live.models import MouthLiveError
from mouth_live.realtime import FaceChoice, analyze

MOUTHS = ["( -_- )", "( o.o )", "( oOo )", "( o0o )", "( o[]o)"]


def main(source: int | str) -> None:
    """Draw the largest face's openness in one line, again for each frame."""
    choice = FaceChoice("largest")
    for analysis in analyze(source):
        reading = choice.choose(analysis)
        openness = 0.0 if reading is None else reading.openness
        mouth = MOUTHS[min(len(MOUTHS) - 1, int(openness * len(MOUTHS)))]
        bar = "#" * round(20 * openness)
        sys.stdout.write(f"{mouth} {openness:4.2f} {bar:<20}\r")
        sys.stdout.flush()
    sys.stdout.write("\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else 0)
    except MouthLiveError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.stdout.write("\n")

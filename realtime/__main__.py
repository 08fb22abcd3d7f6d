"""``python -m mouth_live.realtime``: the command line."""

from .commands.cli import main

if __name__ == "__main__":
    main()

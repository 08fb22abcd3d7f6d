"""Write every table, event stream and interval file of the shared clips, to compare two versions byte for byte.

    python tests/every_output.py write BEFORE [--program old-venv/bin/mouth-live]
    python tests/every_output.py write AFTER
    python tests/every_output.py compare BEFORE AFTER

About four minutes a version on two cores. ELAN files carry the date on which they were made, which is left out.
"""

import argparse
import filecmp
import os
import re
import subprocess
import sys
from pathlib import Path

CLIPS = Path(os.environ.get("MOUTH_LIVE_SHARED", Path(__file__).parent.parent.parent / "shared")) / "clips"
FORMATS = {"textgrid": "TextGrid", "audacity": "txt", "vtt": "vtt", "srt": "srt", "elan": "eaf", "csv": "csv"}
DATE = re.compile(rb' DATE="[^"]*"')


def commands(clip: Path, folder: Path) -> list[list[str]]:
    """What to run for one clip, each with a file of its own in ``folder``."""
    found = [["process", clip, "-o", folder / "table.csv"]]
    found += [["process", clip, "--time", "media", "--min-face", "20", "-o", folder / "media-time.csv"]]
    found += [["events", clip, "--values", "-o", folder / "events.jsonl"]]
    found += [["events", clip, "--face", "largest", "--preset", "switch", "-o", folder / "switch.jsonl"]]
    found += [["events", clip, "--format", name, "-o", folder / f"lips.{end}"] for name, end in FORMATS.items()]
    return [list(map(str, command)) for command in found]


def write(folder: Path, program: str) -> None:
    """Run the program on every clip."""
    for clip in sorted(path for path in CLIPS.rglob("*") if path.suffix in {".mp4", ".mpg", ".mkv", ".mov"}):
        place = folder / clip.relative_to(CLIPS).with_suffix("")
        place.mkdir(parents=True, exist_ok=True)
        for command in commands(clip, place):
            done = subprocess.run([program, *command], check=False, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
        sys.stderr.write(f"{clip.name}\n")


def compare(before: Path, after: Path) -> int:
    """Print what differs; how many files do."""
    files = sorted({p.relative_to(root) for root in (before, after) for p in root.rglob("*") if p.is_file()})
    different = [file for file in files if not _same(before / file, after / file)]
    for file in different:
        sys.stdout.write(f"differs: {file}\n")
    sys.stdout.write(f"{len(files) - len(different)} of {len(files)} files are the same\n")
    return len(different)


def _same(one: Path, other: Path) -> bool:
    if not (one.is_file() and other.is_file()):
        return False
    if one.suffix != ".eaf":
        return filecmp.cmp(one, other, shallow=False)
    return DATE.sub(b"", one.read_bytes()) == DATE.sub(b"", other.read_bytes())


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    writing = actions.add_parser("write")
    writing.add_argument("folder", type=Path)
    writing.add_argument("--program", default=str(Path(sys.executable).with_name("mouth-live")))
    comparing = actions.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.action == "write":
        write(given.folder, given.program)
    else:
        sys.exit(1 if compare(given.before, given.after) else 0)


if __name__ == "__main__":
    main()

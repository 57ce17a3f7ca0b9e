"""``python -m core.sample [FOLDER]``: make the embedded sample anew."""

import sys
from pathlib import Path

from core.base.jobs import run_task
from core.sample import FOLDER, generate_sample

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    count = run_task(generate_sample(folder), lambda p: print(p.detail, file=sys.stderr))
    print(f"{count} photos in {folder}")

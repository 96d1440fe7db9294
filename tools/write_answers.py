"""Write tests/answers.xz, the exact answers that tests compare with, from those that runs here have found.

    make test && python tools/write_answers.py

adds what was not known. To leave out what no test asks for any more, forget everything first:

    rm -r tests/answers.xz build/oracle && make test && python tools/write_answers.py
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests import answers, exact  # noqa: E402


def main() -> None:
    found: dict[str, Any] = {key: answer() for key, answer in answers.committed().items()}
    for path in sorted(answers.CACHE.rglob("*.pickle")):
        answer = pickle.loads(path.read_bytes())
        if not isinstance(answer, exact.Jacobian):  # what is made of those is enough
            found[path.stem] = answer
    answers.COMMITTED.write_bytes(answers.pack(found))
    size = answers.COMMITTED.stat().st_size
    print(f"{answers.COMMITTED.relative_to(ROOT)}: {len(found)} answers, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

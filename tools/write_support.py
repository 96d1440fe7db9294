"""Write build/support.json, of which the site's support tables are made, from what the last runs saw.

`make test` does so before its last step; `make docs` then finds it.

Form: operation -> library -> property -> dtype -> "pass", "exception" (listed in tests/exceptions.py and seen
to fail), "nonsense" (listed there as having no meaning) or "fail".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MATRIX = ROOT / "build" / "matrix"
SUPPORT = ROOT / "build" / "support.json"
LIBRARIES = ("numpy", "jax", "torch", "tensorflow", "strict", "dask")


def merged() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    support: dict[str, Any] = {}
    for library in LIBRARIES:
        path = MATRIX / f"{library}.json"
        if not path.exists():
            raise SystemExit(f"{path} is missing: run `make test` first")
        for operation, properties in json.loads(path.read_text(encoding="utf-8"))["outcomes"].items():
            support.setdefault(operation, {})[library] = properties
    return support


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.record import sources

    for library in LIBRARIES:
        path = MATRIX / f"{library}.json"
        if path.exists() and json.loads(path.read_text(encoding="utf-8"))["sources"] != sources():
            raise SystemExit(f"{path} is stale: run `make test` again")
    SUPPORT.parent.mkdir(parents=True, exist_ok=True)
    SUPPORT.write_text(json.dumps(merged(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {SUPPORT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

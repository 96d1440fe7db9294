"""The programs in examples/, each run in a process of its own."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


def run(name: str, *arguments: str | Path, code: str | None = None, path: Path | None = None) -> Any:
    """What became of a program; `code` runs before it, `path` is searched for modules first."""
    environment = os.environ | {"COLUMNS": "80", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH")]))
    start: list[str | Path] = [EXAMPLES / f"{name}.py"]
    if code is not None:
        lines = ["import sys", f"sys.path.insert(0, {str(EXAMPLES)!r})", code]
        start = ["-c", "\n".join([*lines, f"import {name}", f"sys.exit({name}.main())"])]
    return subprocess.run(
        [sys.executable, *map(str, [*start, *arguments])],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        cwd=ROOT,
        timeout=600,
    )


def check_success(done: Any, picture: Path) -> None:
    """It ended well, wrote no control characters, and a picture of a sensible size."""
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "control characters, though nobody sits at a terminal"
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    assert 1000 <= width <= 4000
    assert 600 <= height <= 3000


def refusal(done: Any) -> str:
    """The one line in which a run ended before it computed anything."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line

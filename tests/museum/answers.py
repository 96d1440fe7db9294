"""What each library answers in the museum, asked in a process of its own, and whether that is right."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..compare import ulp
from .base import Exhibit

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / "build" / "museum"
PACKAGES = {"tensorflow": ("tensorflow-cpu", "tensorflow")}
CLOSE = 64  # ulps: far more than rounding, far less than a defect


def version(library: str) -> str:
    for package in PACKAGES.get(library, (library.split("-")[0],)):
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def answers(library: str) -> dict[str, Any]:
    """What the library's process printed; kept on disk."""
    needed = [library.split("-")[0], *library.split("-")[1:], "scipy"]
    digest = hashlib.sha256(repr([version(one) for one in needed]).encode())
    for folder in ("tests/museum", "src/uniflogits"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    path = KEPT / f"{library}-{digest.hexdigest()[:16]}.json"
    if not path.exists():
        command = [sys.executable, "-W", "ignore", "-m", "tests.museum.peers", library]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        path.write_text(done.stdout, encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


class Answer:
    """One answer to an exhibit, judged."""

    def __init__(self, exhibit: Exhibit, answer: dict[str, Any]) -> None:
        self.error = answer.get("error", "")
        refusal = exhibit.raises is not None
        if self.error or refusal:
            self.right = refusal and bool(self.error)
            self.text = self.error.split(":")[0] if self.error else shown(numbers_of(answer)[0])
            return
        numbers, right = numbers_of(answer), np.asarray(exhibit.right()).astype(float).ravel()
        if numbers.shape != right.shape:
            self.right, self.text = False, f"{numbers.size} numbers for {right.size}"
            return
        # Some libraries make float32 of integers.
        dtype = "float32" if exhibit.keep_dtype else exhibit.dtype
        with np.errstate(invalid="ignore", over="ignore"):
            off = np.abs(numbers - right) / ulp(np.abs(right), dtype)
        off = np.where((numbers == right) | (np.isnan(numbers) & np.isnan(right)), 0.0, off)
        off = np.where(np.isnan(off), math.inf, off)
        worst = int(np.argmax(off))
        self.right, self.text = bool(off[worst] <= CLOSE), shown(numbers[worst])
        self.place = worst


def numbers_of(answer: dict[str, Any]) -> np.ndarray:
    return np.asarray([float.fromhex(number) for number in answer["numbers"]])


def shown(number: float) -> str:
    return f"{number:.9g}"

"""The program of Softmax Collapse as users start it, for few steps, and what the site keeps of whole runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
QUANTITIES = ("loss", "gradient norm", "largest logit")


def run(*arguments: str | Path) -> Any:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / "softmax_collapse.py"), *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "80", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"},
        cwd=ROOT,
        timeout=300,
    )


def check_start(library: str, folder: Path) -> None:
    """A few steps: all three losses are the same number, which goes down from that of guessing."""
    picture, results = folder / "made" / "collapse.png", folder / "collapse.json"
    done = run("--library", library, "--steps", "7", "--output", picture, "--json", results)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "control characters, though nobody sits at a terminal"
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    report = json.loads(results.read_text(encoding="utf-8"))
    assert (report["library"], report["steps"], report["shown"]) == (library, 7, list(range(1, 8)))
    assert [one["dtype"] for one in report["runs"].values()] == ["float64", "float32", "float32"]
    first = next(iter(report["runs"].values()))
    for name, one in report["runs"].items():
        assert name in done.stdout and name in done.stderr, "no row, or no progress"
        assert one["apart"] < 1e-5 and one["left_at_step"] is None
        for quantity in QUANTITIES:
            assert one[quantity] == pytest.approx(first[quantity], rel=1e-4)
            assert one["final"][quantity] == pytest.approx(one[quantity][-1], rel=1e-4)
        assert (np.diff(one["loss"]) < 0).all()
        assert one["loss"][0] < 2 * np.log(31)


@pytest.mark.backend("torch")
@pytest.mark.backend("jax")
def test_collapse_on_torch(tmp_path: Path) -> None:
    check_start("torch", tmp_path)


@pytest.mark.slow
@pytest.mark.backend("jax")
def test_collapse_on_jax(tmp_path: Path) -> None:
    check_start("jax", tmp_path)


@pytest.mark.backend("jax")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--library", "numpy"), "invalid choice: 'numpy'"),
        (("--steps", "0"), "--steps must be at least 1, got 0"),
        (("--output", "picture.word"), "cannot write picture.word: end its name in .png"),
    ],
    ids=["library", "steps", "format"],
)
def test_collapse_refuses_in_one_line(arguments: tuple[str, ...], expected: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert expected in line


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_kept_curves_show_what_the_page_says(library: str) -> None:
    """Ours in float32 stays within 1 % of float64 down to 1e-11, where the library's own has left it."""
    results = json.loads((ROOT / "docs" / "data" / f"collapse_{library}.json").read_text(encoding="utf-8"))
    exact, theirs, ours = results["runs"].values()
    assert exact["final"]["loss"] < results["lowest"] == 1e-11
    assert ours["apart"] <= results["agreement"] == 0.01
    assert theirs["left_at_loss"] > 1e-7
    assert theirs["final"]["loss"] == 0 and theirs["final"]["largest logit"] > 1000
    distance = np.abs(np.asarray(ours["loss"]) / np.asarray(exact["loss"]) - 1)
    assert distance[np.asarray(exact["loss"]) >= 1e-11].max() <= 1e-3

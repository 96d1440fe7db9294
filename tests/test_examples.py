"""The training program as users start it: what it prints and writes, and how it refuses."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import programs

run = functools.partial(programs.run, "train_digits")


def train(folder: Path, *backends: str, options: tuple[str, ...] = ()) -> tuple[dict[str, Any], str]:
    """What a successful run writes as JSON and prints; its picture is looked at here."""
    picture, results = folder / "made" / "digits.png", folder / "digits.json"
    done = run("--backends", *backends, "--output", picture, "--json", results, *options)
    programs.check_success(done, picture)
    assert all(name in done.stderr for name in backends), "no progress was shown"
    return json.loads(results.read_text(encoding="utf-8")), done.stdout


def check_agreement(report: dict[str, Any], *backends: str) -> None:
    """The promise on real data: 300 steps, the same curves, a model that reads digits."""
    assert list(report["backends"]) == list(backends)
    assert report["steps"] == 300
    curves = np.asarray([report["backends"][name]["losses"] for name in backends])
    assert curves.shape == (len(backends), 300)
    assert np.isfinite(curves).all()
    assert (np.diff(curves) < 0).all(), "gradient descent on a convex loss goes down at every step"
    # All ten digits are equally likely to a model that is all zeros.
    assert curves[:, 0] == pytest.approx(np.log(10), rel=1e-12)
    apart = [np.abs(one - other) / np.minimum(one, other) for one in curves for other in curves]
    assert np.max(apart) <= 1e-10
    assert report["largest_difference"] == pytest.approx(np.max(apart), rel=1e-6, abs=1e-18)
    for one in report["backends"].values():
        assert one["test_accuracy"] >= 0.96
        assert one["final_loss"] == one["losses"][-1]


def check_table(printed: str, report: dict[str, Any]) -> None:
    rows = {line.split()[0]: line for line in printed.splitlines() if line.strip()}
    for name, one in report["backends"].items():
        numbers = f"{one['final_loss']:.8f}", f"{one['test_accuracy']:.4f}", f"{one['seconds']:.2f}"
        for cell in (report["dtype"], one["gradient"], *numbers):
            assert cell in rows[name]
    if report["largest_difference"] is not None:
        assert f"loss curves: {report['largest_difference']:.1e} in {report['dtype']}" in printed


@pytest.mark.backend("numpy")
@pytest.mark.backend("jax")
@pytest.mark.backend("torch")
def test_one_loop_trains_on_numpy_jax_and_torch(tmp_path: Path) -> None:
    report, printed = train(tmp_path, "numpy", "jax", "torch")
    check_agreement(report, "numpy", "jax", "torch")
    check_table(printed, report)
    kinds = {name: one["gradient"] for name, one in report["backends"].items()}
    assert kinds == {"numpy": "closed form", "jax": "autodiff", "torch": "autodiff"}


@pytest.mark.backend("tensorflow")
def test_one_loop_trains_on_tensorflow(tmp_path: Path) -> None:
    report, printed = train(tmp_path, "numpy", "tensorflow")
    check_agreement(report, "numpy", "tensorflow")
    check_table(printed, report)


@pytest.mark.slow
def test_trains_in_float32_on_one_library(tmp_path: Path) -> None:
    report, printed = train(tmp_path, "numpy", options=("--dtype", "float32", "--steps", "5"))
    (losses,) = (one["losses"] for one in report["backends"].values())
    assert len(losses) == 5
    assert losses == [float(np.float32(loss)) for loss in losses]
    assert report["largest_difference"] is None
    check_table(printed, report)


@pytest.mark.slow
def test_disagreement_is_an_error(tmp_path: Path) -> None:
    wrong = "import uniflogits as ul; vjp = ul.vjp\ndef off(*a, **o):\n    loss, pull = vjp(*a, **o)\n"
    wrong += "    return loss * (1 + 1e-9), pull\nul.vjp = off"
    arguments = ("--backends", "numpy", "torch", "--steps", "2", "--output", tmp_path / "digits.png")
    done = run(*arguments, code=wrong)
    assert done.returncode == 1
    assert "The libraries disagree: at most 1e-10 is allowed." in done.stderr
    assert "loss curves: 1.0e-09 in float64" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--backends", "numpy", "jaxx"),
            "unknown backend 'jaxx'; choose from numpy, jax, torch, tensor",
        ),
        (("--steps", "0"), "--steps must be at least 1, got 0"),
        (("--steps", "many"), "invalid int value: 'many'"),
        (("--dtype", "float16"), "invalid choice: 'float16'"),
        (("--output", "digits.word"), "cannot write digits.word: end its name in .png"),
    ],
    ids=["backend", "steps", "steps-text", "dtype", "format"],
)
def test_bad_option_is_one_line(arguments: tuple[str, ...], expected: str) -> None:
    assert expected in programs.refusal(run(*arguments))


@pytest.mark.parametrize("option", ["--output", "--json"])
def test_unwritable_path_is_one_line(tmp_path: Path, option: str) -> None:
    folder = tmp_path / "folder.png"
    folder.mkdir()
    (tmp_path / "file").write_text("kept")
    line = programs.refusal(run("--backends", "numpy", option, folder))
    assert f"cannot write {folder}: " in line
    assert line.endswith(f"; choose another path with {option}")
    line = programs.refusal(run("--backends", "numpy", option, tmp_path / "file" / "digits.png"))
    assert "part of it is a file" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    ("module", "extra"), [("torch", "torch"), ("rich", "demo"), ("matplotlib", "demo"), ("sklearn", "demo")]
)
def test_missing_extra_is_one_line(module: str, extra: str) -> None:
    hidden = "import importlib.util as util; find = util.find_spec\n"
    hidden += f"util.find_spec = lambda name, *more: None if name == {module!r} else find(name, *more)"
    line = programs.refusal(run("--backends", "numpy", "torch", code=hidden))
    assert line.startswith(f"-c: {module} is not installed")
    assert f'pip install "uniflogits[{extra}]"' in line


def test_broken_library_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no libtorch.so\\nanywhere')")
    line = programs.refusal(run("--backends", "numpy", "torch", path=tmp_path))
    assert "torch cannot be imported: no libtorch.so anywhere; python -m uniflogits says more" in line

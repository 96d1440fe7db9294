"""The examples that train models, play the GAN's game and fit coefficients: what they claim holds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import programs

SPIRALS = {"torch_module": "torch", "equinox_model": "jax", "keras_model": "tensorflow"}


def run(folder: Path, name: str, *options: str) -> tuple[dict[str, Any], str]:
    """The results and the output of a run that ends well."""
    picture, results = folder / "made" / "picture.png", folder / "results.json"
    done = programs.run(name, "--output", picture, "--json", results, *options)
    programs.check_success(done, picture)
    assert f"The picture is in {picture}." in done.stdout.replace("\n", " ")
    return json.loads(results.read_text(encoding="utf-8")), done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.backend(library)) for name, library in SPIRALS.items()]
)
def test_loss_falls_to_a_tenth_as_the_frameworks_own_does(tmp_path: Path, name: str) -> None:
    report, printed = run(tmp_path, name)
    ours, theirs = (np.asarray(one["losses"]) for one in report["runs"].values())
    assert next(iter(report["runs"])) == "uniflogits"
    assert ours[-1] <= 0.1 * ours[0] < ours[-2]
    assert 0.9 < ours[0] < 1.5, "an untrained model finds three arms about equally likely"
    common = min(len(ours), len(theirs))
    assert abs(len(ours) - len(theirs)) <= 1
    apart = np.abs(ours[:common] - theirs[:common]).max()
    assert apart <= 1e-4
    assert report["largest_difference"] == apart
    assert f"Largest difference between the loss curves: {apart:.1e}." in printed
    for loss, one in report["runs"].items():
        row = next(line for line in printed.splitlines() if line.strip().startswith(loss))
        assert f"{one['losses'][-1]:.6f}" in row
        assert f"{one['accuracy']:.4f}" in row
        assert one["accuracy"] > 0.95


@pytest.mark.slow
@pytest.mark.backend("torch")
def test_what_does_not_hold_is_an_error(tmp_path: Path) -> None:
    done = programs.run("torch_module", "--steps", "2", "--output", tmp_path / "picture.png")
    assert done.returncode == 1
    assert "With uniflogits the loss has not fallen to a tenth in 2 steps." in done.stderr
    wrong = "import uniflogits as ul; ce = ul.softmax_cross_entropy_with_integer_labels\n"
    wrong += "ul.softmax_cross_entropy_with_integer_labels = lambda *a, **o: 1.001 * ce(*a, **o)"
    done = programs.run("torch_module", "--steps", "2", "--output", tmp_path / "picture.png", code=wrong)
    assert done.returncode == 1
    assert "The curves disagree: at most 1e-04 is allowed." in done.stderr


@pytest.mark.slow
@pytest.mark.backend("torch")
def test_generator_learns_from_a_discriminator_far_ahead(tmp_path: Path) -> None:
    report, printed = run(tmp_path, "gan_discriminator", "--steps", "20")
    drawn, real = report["logits"]
    assert math.isclose(drawn, -40, abs_tol=0.1) and real > 20
    found = {row["game"]: row for row in report["gradients"]}
    for row in found.values():
        ours = row["losses"]["uniflogits"]
        assert ours["relative_error"] <= 1e-4
        assert math.isclose(ours["norm"], row["norm"], rel_tol=1e-4)
        assert f"{row['norm']:.2e}" in printed
    # One generator has next to nothing left of torch's gradient, another nothing at all.
    assert found["non-saturating, real=1"]["losses"]["torch on sigmoid"]["relative_error"] > 0.5
    assert found["minimax, real=0"]["norm"] > 0
    assert found["minimax, real=0"]["losses"]["torch on logits"]["norm"] == 0
    assert found["non-saturating, real=0"]["losses"]["torch on sigmoid"]["norm"] == 0


@pytest.mark.slow
@pytest.mark.backend("torch")
def test_generator_draws_the_mixture(tmp_path: Path) -> None:
    report, _ = run(tmp_path, "gan_discriminator", "--steps", "1000")
    assert report["modes"] >= 4


@pytest.mark.slow
def test_coefficients_are_scikit_learns(tmp_path: Path) -> None:
    report, printed = run(tmp_path, "logistic_regression")
    assert "Unknown label type" in report["refusal"] and report["refusal"] in printed
    assert set(report["fits"]) == {"0 or 1", "fractional"}
    for one in report["fits"].values():
        ours, theirs = np.asarray(one["coefficients"]), np.asarray(one["scikit_learn"])
        assert ours.shape == (31,)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)
        assert one["gradients"][-1] < 1e-10
        assert len(one["gradients"]) < 15, "Newton's method doubles the digits with every step"
        assert f"{one['objective']:.8f}" in printed


@pytest.mark.backend("jax")
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("torch_module", ("--steps", "0"), "torch_module.py: --steps must be at least 1, got 0"),
        (
            "equinox_model",
            ("--steps", "many"),
            "equinox_model.py: argument --steps: invalid int value: 'many'",
        ),
        (
            "keras_model",
            ("--backend", "mxnet"),
            "keras_model.py: argument --backend: invalid choice: 'mxnet'",
        ),
        ("gan_discriminator", ("--steps", "0"), "gan_discriminator.py: --steps must be at least 1, got 0"),
        (
            "logistic_regression",
            ("--output", "picture.word"),
            "logistic_regression.py: cannot write picture.word: end its name in .png",
        ),
    ],
)
def test_bad_option_is_one_line(name: str, arguments: tuple[str, ...], expected: str) -> None:
    assert programs.refusal(programs.run(name, *arguments)).startswith(expected)


@pytest.mark.backend("jax")
@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [
        ("torch_module", "torch", "torch"),
        ("equinox_model", "equinox", "examples"),
        ("keras_model", "keras", "tensorflow"),
        ("gan_discriminator", "matplotlib", "demo"),
        ("logistic_regression", "sklearn", "demo"),
    ],
)
def test_missing_package_is_one_line(name: str, module: str, extra: str) -> None:
    hidden = "import importlib.util as util; find = util.find_spec\n"
    hidden += f"util.find_spec = lambda name, *more: None if name == {module!r} else find(name, *more)"
    line = programs.refusal(programs.run(name, code=hidden))
    assert f'{module} is not installed; pip install "uniflogits[{extra}]"' in line

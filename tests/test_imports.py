"""What importing and calling the library loads: nothing that was not there already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import adapters

ROOT = Path(__file__).resolve().parent.parent
FRAMEWORKS = ("jax", "torch", "tensorflow", "keras", "dask", "array_api_strict", "scipy", "ml_dtypes")


def loaded(code: str) -> set[str]:
    """The frameworks in sys.modules of a fresh process after running some code."""
    report = f"import sys; print(*[name for name in {FRAMEWORKS!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


def test_import_loads_no_framework() -> None:
    assert loaded("import uniflogits") == set()


def test_numpy_calls_load_no_framework() -> None:
    code = (
        "import numpy as np, uniflogits as ul\n"
        "x = np.array([[2.5, 1.0, -1.2]])\n"
        "ul.softmax(x); ul.log_softmax([1.0, 2.0]); ul.sigmoid(0.5)\n"
        "loss = ul.value_and_grad(ul.softmax_cross_entropy_with_integer_labels)\n"
        "loss(x, np.array([0]), reduction='mean')\n"
        "ul.keras_loss(ul.softmax_cross_entropy_with_integer_labels)(np.array([0.0]), x)\n"
    )
    assert loaded(code) == set()


def test_this_test_can_fail() -> None:
    assert loaded("import dask.array") >= {"dask"}


@pytest.mark.backend("torch")
def test_torch_calls_load_torch_only() -> None:
    code = "import torch, uniflogits as ul\nul.softmax(torch.ones(3))"
    assert loaded(code) == loaded("import torch")


@pytest.mark.backend("jax")
def test_jax_calls_load_jax_only() -> None:
    code = "import jax, uniflogits as ul\nul.softmax(jax.numpy.ones(3))"
    assert loaded(code) - loaded("import jax, jax.numpy") == set()


@pytest.mark.backend("strict")
def test_strict_calls_load_no_other() -> None:
    code = "import array_api_strict as xp, uniflogits as ul\nul.softmax(xp.asarray([1.0, 2.0]))"
    assert loaded(code) == {"array_api_strict"}


@pytest.mark.backend("tensorflow")
def test_tensorflow_calls_load_no_torch_or_jax() -> None:
    code = "import tensorflow as tf, uniflogits as ul\nul.softmax(tf.constant([1.0, 2.0]))"
    assert loaded(code) == loaded("import tensorflow as tf")


def test_every_library_has_an_adapter_of_its_own() -> None:
    files = {path.stem for path in (Path(__file__).parent / "adapters").glob("*.py")} - {"__init__", "base"}
    assert files == {file for file, _, _ in adapters.LIBRARIES.values()}

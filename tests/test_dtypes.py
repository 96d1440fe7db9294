"""What comes out is what went in: library, dtype, device; nothing warns, nothing writes into inputs."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .harness import PROPERTIES, Cell, first, matrix, on_devices, ready, run


@matrix("kind")
def test_kind(cell: Cell, quick: bool) -> None:
    """Results are the library's own arrays, on the same device, losses of halves in float32."""
    adapter, failures = cell.adapter, cell.failures()
    for sample in cell.samples(quick, most=6):
        one = ready(cell, sample)
        result = run(cell, one)
        for part in result if isinstance(result, tuple) else (result,):
            _check_kind(adapter, part, one.call.result_dtype, one.arrays[0], failures, sample.id)
        cotangent = adapter.array(np.ones(tuple(first(result).shape)), adapter.dtype(first(result)))
        with adapter.calling():
            _, pullback = ul.vjp(cell.public, *one.arrays, **one.options)
            gradients = pullback(cotangent)
        for i in one.call.floating():
            _check_kind(
                adapter, gradients[i], cell.dtype, one.arrays[0], failures, f"{sample.id}, gradient {i}"
            )
    failures.finish()


def _check_kind(adapter: Any, result: Any, dtype: str, like: Any, failures: Any, label: str) -> None:
    failures.checked += 1
    if not adapter.is_result(result):
        failures.add(f"{label}: got a {type(result)}")
        return
    if adapter.dtype(result) != dtype:
        failures.add(f"{label}: dtype {adapter.dtype(result)}, expected {dtype}")
    if adapter.device(result) != adapter.device(like):
        failures.add(f"{label}: on {adapter.device(result)}, the input on {adapter.device(like)}")


@pytest.mark.parametrize("cell", on_devices("kind", "float32"))
def test_second_device(cell: Cell) -> None:
    """On every further device of the library the result stays there."""
    adapter, failures = cell.adapter, cell.failures()
    for device in adapter.devices:
        for sample in cell.samples(most=4):
            if any(np.asarray(a).dtype == np.int64 for a in sample.arrays.values()) and "x64" in repr(device):
                continue  # that device has no int64: tests/test_value.py gives it int32
            one = ready(cell, sample, device)
            _check_kind(
                adapter, first(run(cell, one)), "float32", one.arrays[0], failures, f"{sample.id}, {device}"
            )
    failures.finish()


@matrix("promotion", dtypes=("float32",))
def test_promotion(cell: Cell) -> None:
    """Integers and booleans become the library's default float before any arithmetic: uint8 never wraps."""
    adapter, failures = cell.adapter, cell.failures()
    logits = np.array([[3, 250, 0], [0, 1, 1]])
    partners = {
        "float": logits,
        "class_vectors": logits % 2,
        "integer_labels": np.array([1, 0]),
        "dense_labels": np.array([[0, 1, 0], [1, 0, 0]]),
        "binary_labels": np.array([[0, 1, 0], [1, 0, 0]]),
    }
    others = [adapter.array(partners[cell.op.roles[name]]) for name in cell.op.arrays[1:]]
    for dtype in ("uint8", "int8", "int16", "int32", "int64", "bool"):
        given = (logits % 128).astype(dtype) if dtype == "int8" else logits.astype(dtype)
        with adapter.calling():
            ours = first(cell.public(adapter.array(given), *others, **cell.required))
            plain = adapter.array(given, adapter.default_float)
            same = first(cell.public(plain, *others, **cell.required))
        if adapter.dtype(ours) != adapter.default_float:
            failures.add(f"{dtype}: result {adapter.dtype(ours)}, expected {adapter.default_float}")
        failures.same(
            f"{dtype} against {adapter.default_float}", adapter.to_numpy(ours), adapter.to_numpy(same)
        )
    failures.finish()


@matrix("quiet")
def test_quiet(cell: Cell, quick: bool) -> None:
    """No warning and no floating-point error on valid input, whatever the caller has set."""
    adapter, failures = cell.adapter, cell.failures()
    edges = [edge for edge in cell.edges() if not edge.keep_dtype]
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for sample in [*cell.samples(quick), *edges] if cell.backend in ("numpy", "strict") else edges:
            one = ready(cell, sample)
            try:
                value = first(run(cell, one))
                cotangent = adapter.array(np.ones(tuple(value.shape)), adapter.dtype(value))
                with adapter.calling():
                    ul.vjp(cell.public, *one.arrays, **one.options)[1](cotangent)
                failures.checked += 1
            except (Warning, FloatingPointError) as error:
                failures.add(f"{sample.id}: {error!r}")
    failures.finish()


@matrix("inputs_unchanged")
def test_inputs_unchanged(cell: Cell) -> None:
    """Inputs hold the same bytes afterwards; NumPy's are read-only all along."""
    adapter, failures = cell.adapter, cell.failures()
    for sample in cell.samples(most=4):
        one = ready(cell, sample)
        if cell.backend == "numpy":
            assert not one.arrays[0].flags.writeable
        value = first(run(cell, one))
        cotangent = adapter.array(np.ones(tuple(value.shape)), adapter.dtype(value))
        ul.vjp(cell.public, *one.arrays, **one.options)[1](cotangent)
        for name, array in zip(cell.op.arrays, one.arrays, strict=True):
            failures.same(f"{sample.id}: {name} afterwards", adapter.to_numpy(array), one.call.arrays[name])
        for name, array in one.call.keywords().items():
            if isinstance(array, np.ndarray):
                failures.same(f"{sample.id}: {name} afterwards", adapter.to_numpy(one.options[name]), array)
    failures.finish()


FILES = {"kind": "dtypes", "promotion": "dtypes", "quiet": "dtypes"}


def test_every_library_has_these_properties() -> None:
    """A property that lists its libraries leaves none out by accident."""
    for name in ("value", "gradient", "jvp", "kind", "promotion", "quiet", "laws", "errors"):
        importlib.import_module(f"tests.test_{FILES.get(name, name)}")
        assert {cell.backend for cell in PROPERTIES[name]} == set(adapters.NAMES), name

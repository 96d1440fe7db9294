"""Bad input: the same exception class and the same whole text on every library, before any work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import uniflogits as ul

from . import adapters
from .adapters.base import Adapter
from .harness import Cell, matrix
from .specs.base import BadInput


def convertible(value: Any) -> bool:
    """Plain NumPy arrays of numbers become the library's; anything else is passed as it is."""
    return type(value) is np.ndarray and value.dtype.kind in "fiubc" and value.dtype != np.longdouble


def converted(adapter: Adapter, value: Any) -> Any:
    return adapter.array(value) if convertible(value) else value


@matrix("errors", dtypes=("float32",))
def test_errors(cell: Cell) -> None:
    adapter, failures = cell.adapter, cell.failures()
    for bad in cell.spec.bad_inputs:
        if bad.needs_values and not adapter.reads_values:
            continue  # tests/test_traced_labels.py: NaN instead
        failures.checked += 1
        arrays = [converted(adapter, value) for value in bad.arrays]
        options = {name: converted(adapter, value) for name, value in bad.options.items()}
        for label, call in (
            ("called", lambda a=arrays, o=options: cell.public(*a, **o)),
            ("by vjp", lambda a=arrays, o=options: ul.vjp(cell.public, *a, **o)),
        ):
            text = _problem(bad, call, adapter)
            if text:
                failures.add(f"{bad.id} {label}: {text}")
    failures.finish()


def _problem(bad: BadInput, call: Any, adapter: Adapter) -> str:
    try:
        with adapter.calling():
            result = call()
    except Exception as error:
        if type(error) is not bad.error:
            raised = f"{type(error).__name__}({str(error)[:300]!r})"
            return f"raised {raised}, expected {bad.error.__name__}({bad.message!r})"
        if str(error) != bad.message:
            return f"says {str(error)!r}, expected {bad.message!r}"
        return ""
    return f"raised nothing, gave {result!r}"


@adapters.each("numpy", "torch", "strict")
def test_a_negative_label_of_few_bits_is_no_class(backend: str) -> None:
    """Its bits without a sign, 255, would be one of 300 classes."""
    array = adapters.get(backend).array
    with pytest.raises(ValueError, match=r"from 0 to 299 .*, got -1"):
        ul.softmax_cross_entropy_with_integer_labels(
            array(np.zeros((1, 300))), array(np.asarray([-1], np.int8))
        )

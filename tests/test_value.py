"""Values against the oracle, in units in the last place."""

from __future__ import annotations

import pytest

from . import adapters, exact
from .harness import PROPERTIES, Cell, both, first, matrix, ready, run


@matrix("value")
def test_value(cell: Cell, quick: bool) -> None:
    failures = cell.failures()
    for sample in cell.samples(quick):
        one = ready(cell, sample)
        result = run(cell, one)
        answers = both(one, lambda call: exact.values(cell.spec, call))
        parts = result if isinstance(result, tuple) else (result,)
        assert len(parts) == len(answers[0])
        for number, part in enumerate(parts):
            ours = cell.adapter.to_numpy(part)
            failures.compare(
                sample.id,
                ours,
                [answer[number] for answer in answers],
                one.call.result_dtype,
                cell.row.value if number == 0 else 0,
                cell.row.dagger,
                one.underflow,
                one.call.arrays,
            )
    failures.finish()


def _device_cells() -> list:
    """Every further device of array-api-strict: other defaults, no float64, no 64 bits at all."""
    return [
        pytest.param(cell, name, id=f"{cell.operation}-strict-{name}", marks=pytest.mark.backend("strict"))
        for cell in PROPERTIES["value"]
        if cell.backend == "strict" and cell.dtype == "float32"
        for name in ("device1", "device2", "no_float64", "no_x64")
    ]


@pytest.mark.parametrize(("cell", "device_name"), _device_cells())
def test_value_on_device(cell: Cell, device_name: str, quick: bool) -> None:
    strict = adapters.get("strict")
    (device,) = [d for d in strict.devices if device_name in repr(d)]
    failures = cell.failures()
    for sample in cell.samples(quick):
        one = ready(cell, _without_wide_integers(sample, device_name), device)
        result = first(run(cell, one))
        assert result.device == device
        assert strict.dtype(result) == "float32"
        (answer, *_) = exact.values(cell.spec, one.call)
        ours = strict.to_numpy(result)
        failures.compare(sample.id, ours, [answer], "float32", cell.row.value, cell.row.dagger, one.underflow)
    failures.finish()


def _without_wide_integers(sample, device_name: str):
    """The device without 64 bits holds labels of 32."""
    import dataclasses

    import numpy as np

    if device_name != "no_x64":
        return sample
    arrays = {
        name: np.asarray(a).astype(np.int32) if np.asarray(a).dtype == np.int64 else a
        for name, a in sample.arrays.items()
    }
    return dataclasses.replace(sample, arrays=arrays)

"""Write the self-check's reference values, src/uniflogits/_diagnostics/references.json, by the tests' oracle.

    python tools/make_references.py

Run it after an operation, its samples or its bounds have changed; a test fails until then. For every
operation one call is made of examples from all its samples without options: every regime, but one shape only,
because JAX compiles each. A row of numbers is one string of hex floats; exact results have 65 bits.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests import exact  # noqa: E402
from tests.call import Call, make_call  # noqa: E402
from tests.exact import Reference  # noqa: E402
from tests.harness import SEED, spec_of  # noqa: E402
from tests.specs.base import Sample, Spec  # noqa: E402
from tests.tolerances import TOLERANCES  # noqa: E402
from uniflogits._core.operation import OPERATIONS, Operation  # noqa: E402

PATH = ROOT / "src" / "uniflogits" / "_diagnostics" / "references.json"
ENTRIES = 120  # of the first array
PART = (
    40  # of them differentiated at a time: the oracle gives all derivatives of so few, and of more only some
)
BITS = 65  # of an exact result
Arrays = dict[str, np.ndarray]


def make() -> str:
    """The text of the file."""
    operations = {name: _reference(operation) for name, operation in OPERATIONS.items()}
    return json.dumps({"made by": "tools/make_references.py", "operations": operations}, indent=1) + "\n"


def _reference(operation: Operation) -> dict[str, Any]:
    spec, row = spec_of(operation.name), TOLERANCES[operation.name]
    plain = list(_plain_samples(operation, spec))
    arrays, options = _examples(operation, plain), dict(plain[0].options)
    call = _call(operation, arrays, options)
    value = exact.values(spec, call)[0]
    rng = np.random.default_rng(zlib.crc32(operation.name.encode()))
    cotangent = (
        rng.integers(1, 33, size=value.high.shape) / 16 * rng.choice([-1.0, 1.0], size=value.high.shape)
    )
    underflow = max(sample.underflow for sample in plain) * max(1.0, float(np.abs(cotangent).max()))
    gradient = {
        operation.arrays[i]: _gradient(operation, spec, operation.arrays[i], arrays, options, cotangent)
        for i in call.floating()
    }
    return {
        "allowed": {
            "value": row.value,
            "gradient": row.gradient,
            "dagger": row.dagger,
            "underflow": underflow,
        },
        "arrays": {name: _floats(a) if a.dtype.kind == "f" else a.tolist() for name, a in arrays.items()},
        "options": options,
        "cotangent": _floats(cotangent),
        "value": _written(value),
        "gradient": {name: _written(answer) for name, answer in gradient.items()},
    }


def _plain_samples(operation: Operation, spec: Spec) -> Iterator[Sample]:
    """Those with the positional arrays and the options that have no default, nothing else."""
    for sample in spec.samples(np.random.default_rng(SEED)):
        only = sample.arrays.keys() == set(operation.arrays) and sample.options.keys() == set(
            operation.required
        )
        if only and not sample.values_only and "float32" in sample.dtypes:
            yield sample


def _examples(operation: Operation, samples: list[Sample]) -> Arrays:
    """Examples of all samples, dealt out in turn."""
    rng = np.random.default_rng(SEED)
    # Vectors of classes belong to all examples: those of one sample's alone.
    shared = (
        {} if operation.vectors is None else {operation.vectors: _short(samples[0].arrays[operation.vectors])}
    )
    samples = [s for s in samples if all(np.array_equal(_short(s.arrays[n]), a) for n, a in shared.items())]
    packs = [pack for sample in samples if (pack := list(_split(operation, sample, rng)))]
    shapes = [tuple(array.shape for array in pack[0].values()) for pack in packs]
    usual = max(shapes, key=shapes.count)
    packs = [pack for pack, shape in zip(packs, shapes, strict=True) if shape == usual]
    dealt = [pack[turn] for turn in range(max(map(len, packs))) for pack in packs if turn < len(pack)]
    count = ENTRIES // int(np.prod(usual[0], dtype=int))
    stacked = {name: np.stack([example[name] for example in dealt[:count]]) for name in dealt[0]}
    return {name: shared[name] if name in shared else stacked[name] for name in operation.arrays}


def _split(operation: Operation, sample: Sample, rng: np.random.Generator) -> Iterator[Arrays]:
    """The examples of a sample in random order; of an elementwise operation single numbers."""
    names = [name for name in operation.arrays if name != operation.vectors]
    arrays = {name: _short(np.asarray(sample.arrays[name])) for name in names}
    if len(operation.shaping) > 1:
        arrays = dict(zip(arrays, np.broadcast_arrays(*arrays.values()), strict=True))
    if "axis" not in operation.options and operation.vectors is None:
        arrays = {name: array.ravel() for name, array in arrays.items()}
    for place in rng.permutation(len(arrays[operation.arrays[0]])):
        example = {name: np.asarray(array[place]) for name, array in arrays.items()}
        # Of equal partners some derivatives are 0, and differences of the oracle only nearly.
        partners = [example[name] for name in operation.shaping]
        if len(partners) == 1 or not np.array_equal(*partners):
            yield example


def _short(array: np.ndarray) -> np.ndarray:
    """What float32 holds, float64 holds too: both get the same numbers, and have the same exact results."""
    return array.astype(np.float32).astype(np.float64) if array.dtype.kind == "f" else array


def _call(operation: Operation, arrays: Arrays, options: dict[str, Any]) -> Call:
    return make_call(operation.name, Sample("self-check", arrays, options), "float64")


def _gradient(
    operation: Operation,
    spec: Spec,
    name: str,
    arrays: Arrays,
    options: dict[str, Any],
    cotangent: np.ndarray,
) -> Reference:
    """Part by part: every example stands for itself."""
    if name == operation.vectors:  # what all examples share moves with all of them
        positions, answer = exact.gradient(spec, _call(operation, arrays, options), name, cotangent)
        assert len(positions) == arrays[name].size, f"{operation.name}: not all derivatives by {name}"
        shape = arrays[name].shape
        return Reference(*(f.reshape(shape) for f in (answer.high, answer.low, answer.scale)))
    parts = []
    step = max(1, PART * len(cotangent) // arrays[operation.arrays[0]].size)
    for start in range(0, len(cotangent), step):
        part = {
            key: array if key == operation.vectors else array[start : start + step]
            for key, array in arrays.items()
        }
        call = _call(operation, part, options)
        positions, answer = exact.gradient(spec, call, name, cotangent[start : start + step])
        assert len(positions) == part[name].size, f"{operation.name}: not all derivatives by {name}"
        parts.append([field.reshape(part[name].shape) for field in (answer.high, answer.low, answer.scale)])
    return Reference(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def _written(answer: Reference) -> dict[str, Any]:
    exact_hex = np.frompyfunc(lambda high, low: _exact_hex(float(high), float(low)), 2, 1)
    written = {"exact": _rows(np.asarray(exact_hex(answer.high, answer.low), dtype=object))}
    if answer.scale.any():
        written["scale"] = _rows(_each(_rough_hex, answer.scale))
    return written


def _floats(array: np.ndarray) -> Any:
    return _rows(_each(_hex, array))


def _each(function: Callable[[float], str], array: np.ndarray) -> np.ndarray:
    texts = np.frompyfunc(lambda number: function(float(number)), 1, 1)(array)
    return np.asarray(texts, dtype=object)


def _rows(texts: np.ndarray) -> Any:
    return " ".join(texts) if texts.ndim == 1 else [_rows(row) for row in texts]


def _hex(number: float) -> str:
    """float.hex without the zeros at the end."""
    digits, p, exponent = number.hex().partition("p")
    return digits.rstrip("0").rstrip(".") + p + exponent if "." in digits else digits


def _rough_hex(number: float) -> str:
    """12 bits do for a magnitude to count in."""
    fraction, exponent = np.frexp(number)
    return _hex(float(np.ldexp(np.round(fraction * 2**12) / 2**12, exponent)))


def _exact_hex(high: float, low: float) -> str:
    if low == 0 or not np.isfinite(high):
        return _hex(high)
    number = Fraction(high) + Fraction(low)
    exponent = int(np.frexp(high)[1]) - BITS
    digits = f"{round(abs(number) / Fraction(2) ** exponent):x}"
    sign, fraction = "-" * (number < 0), digits[1:].rstrip("0")
    return f"{sign}0x{digits[0]}{'.' * bool(fraction)}{fraction}p{exponent + 4 * (len(digits) - 1):+d}"


if __name__ == "__main__":
    PATH.write_text(make(), encoding="utf-8")
    print(f"{PATH.relative_to(ROOT)}: {PATH.stat().st_size / 1000:.0f} kB")

"""Errors counted in units in the last place, and failures written so that they can be read and replayed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .exact import Reference

HALVES = ("float16", "bfloat16")
DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
LOWEST = {"float16": -14, "bfloat16": -126, "float32": -126, "float64": -1022}
LARGEST = {
    "float16": 65504.0,
    "bfloat16": float.fromhex("0x1.fep+127"),
    "float32": float.fromhex("0x1.fffffep+127"),
    "float64": float.fromhex("0x1.fffffffffffffp+1023"),
}


def ulp(magnitude: np.ndarray, dtype: str) -> np.ndarray:
    """The distance between neighbouring numbers of `dtype` around a magnitude."""
    finite = np.where(np.isfinite(magnitude), np.minimum(magnitude, LARGEST[dtype]), LARGEST[dtype])
    _, exponent = np.frexp(finite)
    exponent = np.where(finite == 0, LOWEST[dtype], np.maximum(exponent - 1, LOWEST[dtype]))
    return np.ldexp(1.0, exponent - DIGITS[dtype] + 1)


def allowed(
    reference: Reference, dtype: str, bound: float, dagger: bool = False, underflow: float = 1.0
) -> np.ndarray:
    """How far from the exact numbers results of `dtype` may be, as absolute errors."""
    compute = "float32" if dtype in HALVES else dtype
    size = np.maximum(np.abs(reference.high), reference.scale)
    count = np.full(size.shape, float(bound))
    if dagger:
        with np.errstate(divide="ignore"):
            count = count + np.where((size > 0) & (size < 1), np.maximum(0.0, -np.log(size)), 0.0)
    error = count * ulp(size, compute) + underflow * 2.0 ** LOWEST[compute]
    if dtype in HALVES:
        error = error + ulp(np.abs(reference.high), dtype)
    # Nothing is promised about a finite number that an infinite one is part of.
    return np.where(np.isinf(reference.scale) & np.isfinite(reference.high), np.inf, error)


def misses(ours: np.ndarray, reference: Reference, dtype: str, limits: np.ndarray) -> np.ndarray:
    """Where a result is neither within its limit nor the same special number."""
    got = np.asarray(ours).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs((got - reference.high) - reference.low)
        near = error <= limits
        # A number beyond the range rounds to infinity.
        top = LARGEST[dtype]
        beyond = np.abs(reference.high) > top - limits
        over = np.isinf(got) & beyond & (np.sign(got) == np.sign(reference.high))
    same = (np.isnan(got) & np.isnan(reference.high)) | (np.isinf(reference.high) & (got == reference.high))
    return ~(near & np.isfinite(got) | same | over)


class Failures:
    """Collects what is wrong in the samples of one cell, and raises once, naming all of it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.lines: list[str] = []
        self.checked = 0
        self.worst = 0.0

    def add(self, text: str) -> None:
        self.lines.append(text)

    def compare(
        self,
        where: str,
        ours: np.ndarray,
        references: list[Reference],
        dtype: str,
        bound: float,
        dagger: bool = False,
        underflow: float = 1.0,
        inputs: dict[str, Any] | None = None,
    ) -> None:
        """Every number must be within the bound of a reference (two where inputs may be flushed)."""
        ours = np.asarray(ours)
        expected = references[0]
        if ours.shape != expected.high.shape:
            self.add(f"{where}: shape {ours.shape}, expected {expected.high.shape}")
            return
        limits = [allowed(r, dtype, bound, dagger, underflow) for r in references]
        wrong = np.logical_and.reduce(
            [misses(ours, r, dtype, limit) for r, limit in zip(references, limits, strict=True)]
        )
        self.checked += ours.size
        if not wrong.any():
            return
        step = ulp(np.maximum(np.abs(expected.high), expected.scale), dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            got = ours.astype(np.float64)
            distance = np.abs((got - expected.high) - expected.low) / step
        for index in list(zip(*np.nonzero(wrong), strict=True))[:4] if ours.ndim else [()]:
            self.add(
                f"{where} at {tuple(int(i) for i in index)}: ours {_hex(got[index])}, "
                f"exact {_hex(expected.high[index])}, {distance[index]:.4g} ulp of {dtype}, "
                f"allowed {limits[0][index] / step[index]:.4g}"
            )
        count = int(wrong.sum())
        if count > 4:
            self.add(f"{where}: {count} of {ours.size} numbers are off")
        if inputs:
            self.add(f"  called with {_shown(inputs)}")

    def same(self, where: str, ours: np.ndarray, expected: np.ndarray) -> None:
        """Exactly the same numbers, NaN included."""
        self.checked += np.size(ours)
        if not np.array_equal(
            np.asarray(ours).astype(float), np.asarray(expected).astype(float), equal_nan=True
        ):
            self.add(f"{where}: got {ours!r}, expected {expected!r}")

    def finish(self) -> None:
        __tracebackhide__ = True
        if self.lines:
            shown, more = self.lines[:40], len(self.lines) - 40
            tail = [f"... and {more} lines more"] if more > 0 else []
            raise AssertionError("\n".join([self.title, *shown, *tail]))
        assert self.checked, f"{self.title}: nothing was checked"


def _hex(number: Any) -> str:
    number = float(number)
    return f"{number.hex()} ({number:.17g})" if np.isfinite(number) else str(number)


def _shown(inputs: dict[str, Any]) -> str:
    parts = []
    for name, value in inputs.items():
        array = np.asarray(value)
        if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
            flat = [float(number) for number in array.ravel()[:12]]
            text = ", ".join(n.hex() if np.isfinite(n) else str(n) for n in flat)
            more = ", ..." if array.size > 12 else ""
            parts.append(f"{name}=[{text}{more}] {array.dtype.name} {array.shape}")
        else:
            parts.append(f"{name}={array.tolist() if array.size <= 24 else array.shape}")
    return "; ".join(parts)

"""Exact answers that were found before: those committed with the tests, and those of earlier runs here.

An answer is kept under its whole question: the call's numbers to the last bit, and the sources that answer
it. What has changed is therefore asked anew, which takes minutes; tools/write_answers.py writes what full
runs have found to answers.xz. test_answers.py asks for a part of it again.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import importlib
import io
import lzma
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpfr

TESTS = Path(__file__).parent
COMMITTED = TESTS / "answers.xz"
CACHE = TESTS.parent / "build" / "oracle"
# What a specification asks of the oracle.
ASKED = (
    "oracle",
    "gradient_scale",
    "second_scale",
    "tangent_scale",
    "partner_scale",
    "partner_second_scale",
)


@dataclass(frozen=True)
class Reference:
    """Exact numbers as sums of two float64, and in ulps of what their bound counts (0: their own)."""

    high: np.ndarray
    low: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, value: np.ndarray, scale: np.ndarray | None = None) -> Reference:
        flat = value.ravel().tolist()
        high = [float(number) for number in flat]
        low = [
            float(number - mpfr(top)) if gmpy2.is_finite(number) and np.isfinite(top) else 0.0
            for number, top in zip(flat, high, strict=True)
        ]
        scales = (
            np.zeros(value.size) if scale is None else np.array(np.broadcast_to(scale, value.shape), float)
        )
        return cls(*(np.asarray(part, float).reshape(value.shape) for part in (high, low, scales)))


# An answer: exact numbers, several of them, or exact numbers at some positions.
Answer = Any


_FRESH = False


@contextlib.contextmanager
def unkept() -> Iterator[None]:
    """Answers to questions that will not be asked again stay off the disk."""
    global _FRESH
    before, _FRESH = _FRESH, True
    try:
        yield
    finally:
        _FRESH = before


def kept(spec: Any, question: tuple[Any, ...], make: Callable[[], Answer]) -> Answer:
    """The answer to a question about an operation, made only if nobody has it."""
    if _FRESH:
        return make()
    key = key_of(spec, question)
    found = committed().get(key)
    if found is not None:
        return found()
    path = path_of(key)
    if path.exists():
        return pickle.loads(path.read_bytes())
    result = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: another process may be asking the same question.
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(pickle.dumps(result))
    beside.replace(path)
    return result


def path_of(key: str) -> Path:
    return CACHE / key[:2] / f"{key}.pickle"


def key_of(spec: Any, question: tuple[Any, ...]) -> str:
    digest = hashlib.sha256(sources_of(*(getattr(spec, name) for name in ASKED)))
    digest.update(repr((spec.name, *question)).encode())
    return digest.hexdigest()[:24]


@functools.cache
def sources_of(*functions: Any) -> bytes:
    """A digest of functions and of all files that their answers come from."""
    named = [one for function in functions for one in _named(function)]
    digest = hashlib.sha256((TESTS / "exact.py").read_bytes())
    digest.update(repr([(one.__module__, one.__qualname__) for one in named]).encode())
    todo, seen = sorted({one.__module__ for one in named}), set()
    while todo:
        module = todo.pop(0)
        if module not in seen:
            seen.add(module)
            text = Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")
            digest.update(text.encode())
            todo += _oracles_imported_by(module, text)
    return digest.digest()


def _named(function: Any) -> list[Any]:
    """A function, and the functions that it is made of."""
    if isinstance(function, functools.partial):
        return _named(function.func)
    if not hasattr(function, "__qualname__"):
        return []
    inner = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    return [function, *(found for one in inner for found in _named(one))]


def _oracles_imported_by(module: str, text: str) -> list[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            source = ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])])
            if source == "tests.oracle":  # which only passes on what its files hold
                package = importlib.import_module(source)
                found |= {getattr(getattr(package, name.name), "__module__", "") for name in node.names}
            else:
                found.add(source)
    return sorted(name for name in found if name.startswith("tests.oracle."))


# The committed file: arrays of all answers one after the other, compressed together.


def pack(answers: dict[str, Answer]) -> bytes:
    keys, kinds, counts, shapes, positions = [], [], [], [], [np.zeros(0, np.int32)]
    parts: list[Reference] = []
    for key, answer in sorted(answers.items()):
        several = isinstance(answer, list)
        at, references = answer if isinstance(answer, tuple) else (None, answer if several else [answer])
        references = references if isinstance(references, list) else [references]
        keys.append(key)
        kinds.append(2 if at is not None else int(several))
        counts.append(len(references))
        if at is not None:
            positions.append(np.asarray(at, np.int32))
        for reference in references:
            shapes.append(",".join(map(str, reference.high.shape)))
            parts.append(reference)
    high, low, scale = (
        np.concatenate([np.zeros(0), *(getattr(part, name).ravel() for part in parts)])
        for name in ("high", "low", "scale")
    )
    with np.errstate(invalid="ignore"):
        share = np.where(low == 0, 0.0, low / np.spacing(np.abs(high)))
    fraction, exponent = np.frexp(scale)
    rounded = np.ldexp(np.round(fraction * 2**24) / 2**24, exponent)
    text = {"keys": "\n".join(keys), "shapes": "\n".join(shapes)}
    stream = io.BytesIO()
    np.savez(
        stream,
        kinds=np.asarray(kinds, np.uint8),
        counts=np.asarray(counts, np.uint8),
        positions=np.concatenate(positions),
        high=high,
        share=share.astype(np.float32),
        scale=np.where(np.isfinite(scale), rounded, scale),
        **{name: np.frombuffer(value.encode(), np.uint8) for name, value in text.items()},
    )
    return lzma.compress(stream.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def unpack(content: bytes) -> dict[str, Callable[[], Answer]]:
    arrays = dict(np.load(io.BytesIO(lzma.decompress(content))))
    keys, shapes = (arrays[name].tobytes().decode().split("\n") for name in ("keys", "shapes"))
    sizes = [tuple(int(n) for n in shape.split(",") if n) for shape in shapes]
    ends = np.cumsum([int(np.prod(size, dtype=int)) for size in sizes])
    with np.errstate(invalid="ignore"):
        low = arrays["share"].astype(float) * np.spacing(np.abs(arrays["high"]))
    low = np.where(arrays["share"] == 0, 0.0, low)

    def reference(number: int) -> Reference:
        part = slice(int(ends[number - 1]) if number else 0, int(ends[number]))
        shape = sizes[number]
        return Reference(*(a[part].reshape(shape) for a in (arrays["high"], low, arrays["scale"])))

    def answer(kind: int, first: int, count: int, start: int) -> Answer:
        references = [reference(first + i) for i in range(count)]
        if kind == 2:
            size = references[0].high.size
            return arrays["positions"][start : start + size].astype(int), references[0]
        return references if kind == 1 else references[0]

    found, first, start = {}, 0, 0
    for key, kind, count in zip(keys, arrays["kinds"], arrays["counts"], strict=True):
        found[key] = functools.partial(answer, int(kind), first, int(count), start)
        start += int(np.prod(sizes[first], dtype=int)) if kind == 2 else 0
        first += int(count)
    return found


@functools.cache
def committed() -> dict[str, Callable[[], Answer]]:
    return unpack(COMMITTED.read_bytes()) if COMMITTED.exists() else {}

"""Rows of arrays a part at a time: what is made of them stays in the cache, or takes little memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

# over_chunks(step, carry, rows, size): see `chunk_by_chunk`.
OverChunks = Callable[..., tuple[Any, tuple[Any, ...]]]


def chunk_by_chunk(
    concat: Callable[..., Any], step: Callable[..., Any], carry: Any, rows: tuple[Any, ...], size: int
) -> tuple[Any, tuple[Any, ...]]:
    """`over_chunks` by a loop of Python's.

    ``over_chunks(step, carry, rows, size)`` is ``step(carry, part of the rows)``, which gives a carry and a
    tuple of results, for `size` rows at a time; the results are joined along the first axis.
    """
    parts = []
    count = rows[0].shape[0]
    for start in range(0, count, size):
        end = min(start + size, count)  # array-api-strict takes no slice that ends further on
        carry, results = step(carry, tuple(array[start:end, ...] for array in rows))
        parts.append(results)
    return carry, tuple(concat(results) for results in zip(*parts, strict=True))


def chunks_in_a_loop(
    xp: Any,
    loop: Callable[..., Any],
    step: Callable[..., Any],
    carry: Any,
    rows: tuple[Any, ...],
    size: int,
) -> tuple[Any, tuple[Any, ...]]:
    """`over_chunks` by a compiled loop over the whole chunks, and then what is left of the rows.

    ``loop(step, carry, stacked)`` takes one step for each entry along the first axis of the stacked rows.
    Only rows are cut, so that a sharding of the classes stays whole.
    """
    whole = rows[0].shape[0] // size
    end = whole * size
    stacked = tuple(xp.reshape(a[:end], (whole, size, *a.shape[1:])) for a in rows)
    carry, results = loop(step, carry, stacked)
    results = tuple(xp.reshape(a, (end, *a.shape[2:])) for a in results)
    if end == rows[0].shape[0]:
        return carry, results
    carry, rest = step(carry, tuple(a[end:] for a in rows))
    return carry, tuple(xp.concat(pair) for pair in zip(results, rest, strict=True))


def value_in_blocks(
    xp: Any,
    over_chunks: OverChunks,
    entries: int,
    value: Callable[..., Any],
    *arrays: Any,
    each: bool = False,
) -> Any:
    """value(*arrays), in blocks of so many entries: what a formula makes stays in memory used before.

    The value of each entry, or of each row along the last axis.
    """
    shape = tuple(arrays[0].shape)
    known = all(isinstance(size, int) for size in shape)
    if not known or not alike(*arrays) or math.prod(shape) <= entries or (len(shape) < 2 and not each):
        return value(*arrays)
    rows, height = in_rows(xp, entries, arrays, each)
    _, (out,) = over_chunks(lambda carry, part: (carry, (value(*part),)), (), rows, height)
    return xp.reshape(out, shape if each else (*shape[:-1], *out.shape[1:]))


def in_rows(xp: Any, entries: int, arrays: tuple[Any, ...], each: bool) -> tuple[tuple[Any, ...], int]:
    """Arrays of one shape as rows, and how many of them have so many entries."""
    if each:
        return tuple(xp.reshape(x, (-1,)) for x in arrays), entries
    classes = arrays[0].shape[-1]
    return tuple(xp.reshape(x, (-1, classes)) for x in arrays), max(1, entries // classes)


def alike(*arrays: Any) -> bool:
    return all(tuple(x.shape) == tuple(arrays[0].shape) for x in arrays)


def divisible(numbers: dict[str, Any], each: bool) -> bool:
    """Whether every part takes all of these numbers: those of a class are one for each row."""
    return all(getattr(number, "ndim", 0) <= (not each) for number in numbers.values())


def row_by_row(xp: Any, quick: Any, exact: Callable[..., Any], *arrays: Any) -> Any:
    """`sift` of float32 logits, of a library whose arrays are written to."""
    if arrays[0].dtype != xp.float32:
        return exact(*arrays)
    if arrays[0].ndim == 1:
        return row_by_row(xp, quick, exact, *(x[None] for x in arrays))[0]
    return sift_float32(xp, _rewritten, quick, exact, *arrays)


def sift_float32(
    xp: Any, again: Callable[..., Any], quick: Any, exact: Callable[..., Any], *rows: Any
) -> Any:
    """`sift` of float32 logits in float64, where only those rows go on that need it.

    ``again(formula, found, good, *rows)`` is what was found, where that is good, and elsewhere what the
    formula makes of these rows alone. ``xp.without(x, classes)`` is x (..., K), which nothing else holds,
    with a 0 in one class of each row, (..., 1).
    """

    def most(*rows: Any) -> Any:
        return further(quick.of_most, exact, rows)

    def further(formula: Callable[..., Any], then: Callable[..., Any], rows: tuple[Any, ...]) -> Any:
        found, good = formula(xp, *(xp.astype(x, xp.float64) for x in rows))
        return again(then, xp.astype(found, xp.float32), good, *rows)

    return further(quick.of_float32, most, rows)


def _rewritten(formula: Callable[..., Any], found: Any, good: Any, *rows: Any) -> Any:
    if not good.all():
        rest = ~good
        found[rest] = formula(*(x[rest] for x in rows))
    return found

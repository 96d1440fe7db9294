"""Dask: lazy, known by its namespace alone."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import annotations as roles
from .._math.linear_pass import one_pass
from .generic import ArrayAPIBackend, extend
from .numpy import BACKEND as NUMPY

# Numbers that NumPy gets through in less time than Dask takes for a few nodes of a graph.
_SMALL = 2**16


def _leaves(tree: Any) -> list[Any]:
    return [leaf for part in tree for leaf in _leaves(part)] if isinstance(tree, tuple) else [tree]


def _mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """What a function makes of each leaf of nested tuples, in order."""
    return tuple(_mapped(function, part) for part in tree) if isinstance(tree, tuple) else function(tree)


class _Block:
    """Stands where the numbers of the next array come in."""


def _in_one_task(kernel: Callable[..., Any], plan: Any, operands: dict[str, Any], arrays: list[Any]) -> Any:
    """The kernel on NumPy's arrays, as one node of the graph instead of hundreds."""
    import dask.array as da
    from dask.delayed import delayed

    compute = _computing(kernel, plan, operands)
    # Of zeros, to know shapes and dtypes.
    alike = compute([np.zeros(array.shape, array.dtype) for array in arrays])
    task = delayed(functools.partial(_compute_leaves, compute), nout=len(_leaves(alike)))(arrays)
    parts = iter(task)

    def lazy(like: Any) -> Any:
        part = next(parts)
        return None if like is None else da.from_delayed(part, like.shape, like.dtype)

    return _mapped(lazy, alike)


def _in_blocks(kernel: Callable[..., Any], plan: Any, operands: dict[str, Any]) -> Any:
    """The kernel on NumPy's arrays, once per block of examples; None where results are of several."""
    import dask.array as da

    arrays = _by_example(plan, operands)
    if arrays is None:
        return None
    compute = _computing(kernel, plan, operands)
    # Of zeros for one example, to know shapes and dtypes.
    alike = compute([np.zeros((1, *a.shape[1:]) if split else a.shape, a.dtype) for a, split in arrays])
    # Index 0 is the examples'. Dask joins the blocks along all others, which the result hasn't.
    pairs, further = [], itertools.count(1)
    for array, split in arrays:
        own = tuple(itertools.islice(further, array.ndim - split))
        pairs += [array, (0, *own) if split else own]
    function = functools.partial(_compute_block, compute)
    blocks = da.blockwise(function, (0,), *pairs, concatenate=True, dtype=object, meta=_BLOCKS)
    places = itertools.count()

    def lazy(like: Any) -> Any:
        place, index = next(places), range(np.ndim(like))
        if like is None:
            return None
        new, meta = dict(enumerate(like.shape[1:], 1)), np.empty((0,) * like.ndim, like.dtype)
        return da.blockwise(_part, index, blocks, (0,), place=place, new_axes=new, meta=meta)

    return _mapped(lazy, alike)


# What Dask takes all results of a kernel together for.
_BLOCKS = np.empty((0,), object)


def _by_example(plan: Any, operands: dict[str, Any]) -> list[tuple[Any, bool]] | None:
    """The lazy arrays, and whether their first axis is that of examples which know nothing of each other."""
    operation, axes = plan.operation, plan.axes or ()
    x = operands[operation.arrays[0]]
    reduced = dict(plan.options).get("reduction", "none") != "none"
    if operation.vectors is not None or reduced or x.ndim == 0 or 0 in axes:
        return None
    # Options broadcast to these.
    full = {roles.MASK: x.ndim, roles.ELEMENT_WEIGHTS: x.ndim, roles.WEIGHTS: x.ndim - len(axes)}
    arrays = []
    for name, operand in operands.items():
        for array in filter(_is_lazy, _leaves((operand,))):
            split = True
            if name in operation.array_options:
                split = array.ndim == full.get(operation.roles[name]) and array.shape[0] != 1
            broadcast = name in operation.partners and array.ndim != x.ndim
            if split and (broadcast or not _is_split_like(array, x)):
                return None
            arrays.append((array, split))
    return arrays


def _is_split_like(array: Any, x: Any) -> bool:
    """Whether blocks are of whole examples, as many as there are in x."""
    known = array.ndim > 0 and not any(np.isnan(size) for size in array.shape)
    return known and array.shape[0] == x.shape[0] and array.npartitions == array.numblocks[0]


def _computing(kernel: Any, plan: Any, operands: dict[str, Any]) -> Callable[[list[np.ndarray]], Any]:
    frame = _mapped(lambda leaf: _Block if _is_lazy(leaf) else leaf, tuple(operands.values()))
    return functools.partial(_compute, kernel, plan, tuple(operands), frame)


@functools.cache
def _namespace() -> Any:
    # NumPy's own pass knows that labels have been read.
    xp = extend(NUMPY.xp, linear_pass=lambda *given: one_pass(xp, *given))
    return xp


# This one and the next three go to other processes, which is why they are no closures.
def _compute(kernel: Any, plan: Any, names: tuple[str, ...], frame: Any, blocks: list[np.ndarray]) -> Any:
    rest = iter(blocks)
    given = _mapped(lambda leaf: next(rest) if leaf is _Block else leaf, frame)
    with np.errstate(all="ignore"):
        found = kernel(_namespace(), plan, dict(zip(names, given, strict=True)))
    return _mapped(lambda part: part if part is None else np.asarray(part), found)


def _compute_leaves(compute: Callable[..., Any], blocks: list[np.ndarray]) -> list[Any]:
    return _leaves(compute(blocks))


def _compute_block(compute: Callable[..., Any], *blocks: np.ndarray) -> list[Any]:
    return _leaves(compute(list(blocks)))


def _part(blocks: list[Any], place: int) -> Any:
    return blocks[place]


def _is_lazy(value: Any) -> bool:
    return hasattr(value, "npartitions")


class DaskBackend(ArrayAPIBackend):
    """Nothing is computed here.

    Small arrays of one block make one task, blocks of examples one task each, all else the formula's graph.
    """

    def __init__(self, namespace: Any, name: str) -> None:
        super().__init__(namespace, name)
        self.xp.contiguous = lambda x: x
        self.xp.max = self._max

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        arrays = [leaf for leaf in _leaves(tuple(operands.values())) if _is_lazy(leaf)]
        if all(array.npartitions == 1 and array.size <= _SMALL for array in arrays):
            return _in_one_task(kernel, plan, operands, arrays)
        in_blocks = _in_blocks(kernel, plan, operands)
        return super().run(kernel, plan, operands) if in_blocks is None else in_blocks

    def _max(self, x: Any, axis: int, keepdims: bool = False) -> Any:
        # Dask refuses to reduce an array without entries, even where no row is empty.
        if 0 in x.shape and x.shape[axis] != 0:
            return self.xp.sum(x, axis=axis, keepdims=keepdims)
        return self.xp._namespace.max(x, axis=axis, keepdims=keepdims)

    def dtype(self, name: str) -> Any:
        # Dask computes with NumPy's dtypes; its namespace has no name for float16.
        return np.dtype(name)

    def device(self, value: Any) -> Any:
        return None

    def default_float(self, like: Any) -> str:
        return "float64"

    def index_name(self, like: Any) -> str:
        return "int64"

"""Dask: lazy, known by its namespace alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

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

    frame = _mapped(lambda leaf: _Block if _is_lazy(leaf) else leaf, tuple(operands.values()))
    compute = functools.partial(_compute, kernel, plan, tuple(operands), frame)
    # Of zeros, to know shapes and dtypes.
    alike = compute([np.zeros(array.shape, array.dtype) for array in arrays])
    task = delayed(functools.partial(_compute_leaves, compute), nout=len(_leaves(alike)))(arrays)
    parts = iter(task)

    def lazy(like: Any) -> Any:
        part = next(parts)
        return None if like is None else da.from_delayed(part, like.shape, like.dtype)

    return _mapped(lazy, alike)


@functools.cache
def _namespace() -> Any:
    # NumPy's own pass knows that labels have been read.
    xp = extend(NUMPY.xp, linear_pass=lambda *given: one_pass(xp, *given))
    return xp


# This one and the next go to other processes, which is why they are no closures.
def _compute(kernel: Any, plan: Any, names: tuple[str, ...], frame: Any, blocks: list[np.ndarray]) -> Any:
    rest = iter(blocks)
    given = _mapped(lambda leaf: next(rest) if leaf is _Block else leaf, frame)
    with np.errstate(all="ignore"):
        found = kernel(_namespace(), plan, dict(zip(names, given, strict=True)))
    return _mapped(lambda part: part if part is None else np.asarray(part), found)


def _compute_leaves(compute: Callable[..., Any], blocks: list[np.ndarray]) -> list[Any]:
    return _leaves(compute(blocks))


def _is_lazy(value: Any) -> bool:
    return hasattr(value, "npartitions")


class DaskBackend(ArrayAPIBackend):
    """Nothing is computed here: small arrays of one block make one task, others a graph of the formula."""

    def __init__(self, namespace: Any, name: str) -> None:
        super().__init__(namespace, name)
        self.xp.contiguous = lambda x: x
        self.xp.max = self._max

    def run(self, kernel: Callable[..., Any], plan: Any, operands: Any) -> Any:
        arrays = [leaf for leaf in _leaves(tuple(operands.values())) if _is_lazy(leaf)]
        if all(array.npartitions == 1 and array.size <= _SMALL for array in arrays):
            return _in_one_task(kernel, plan, operands, arrays)
        return super().run(kernel, plan, operands)

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

"""What a transform is, and what it is given."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# By name: "value"; "gradient", of sum(cotangent * value) by the first array; "product", the Hessian of that
# sum times the direction.
Results = dict[str, Any]


@dataclass(frozen=True, eq=False)  # its methods are hashed by who transforms them
class Case:
    """One call of an operation as a function of its arrays."""

    function: Callable[..., Any]  # of `array` and `others`
    array: Any  # the one that is differentiated by
    others: tuple[Any, ...]
    cotangent: Any
    direction: Any
    # Which of all the arrays have an entry per example along their first axis; none, if the value hasn't.
    examples: tuple[bool, ...]

    @property
    def arrays(self) -> tuple[Any, ...]:
        return (self.array, *self.others)

    def of_array(self, array: Any) -> Any:
        return self.function(array, *self.others)

    def of_examples(self, *some: Any) -> Any:
        """The function of those arrays alone that have examples."""
        rest = iter(some)
        arrays = [next(rest) if own else a for own, a in zip(self.examples, self.arrays, strict=True)]
        return self.function(*arrays)

    def with_examples(self, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
        """Those of all the arrays that have examples."""
        return tuple(a for own, a in zip(self.examples, arrays, strict=True) if own)

    @property
    def axes(self) -> tuple[int | None, ...]:
        """Of the examples in each array, as vmap takes them."""
        return tuple(0 if own else None for own in self.examples)

    def loss(self, *arrays: Any) -> Any:
        return (self.function(*arrays) * self.cotangent).sum()

    def gradient_by(self, jacobian: Any) -> Results:
        """A Jacobian's rows summed with the cotangent."""
        return {"gradient": _contracted(self.cotangent, jacobian)}

    def product_by(self, hessian: Any) -> Results:
        return {"product": _contracted(self.direction, hessian)}


@dataclass(frozen=True)
class Transform:
    """One transform of one library."""

    name: str
    run: Callable[[Case], Results]
    dtype: str
    calls: int  # how many calls of an operation are tried
    size: int | None  # the most numbers of the array that is differentiated by; None: any
    maps: bool  # takes the examples apart: only for calls whose value has an entry per example
    operations: tuple[str, ...] | None  # those it is tested with; None: all


def transform(
    calls: int = 3,
    *,
    dtype: str = "float32",
    size: int | None = None,
    maps: bool = False,
    operations: tuple[str, ...] | None = None,
) -> Callable[[Callable[[Case], Results]], Transform]:
    """Mark a function as a transform, called as its name says."""

    def marked(run: Callable[[Case], Results]) -> Transform:
        return Transform(run.__name__, run, dtype, calls, size, maps, operations)

    return marked


class Lazy:
    """A module that is imported when something of it is used: TensorFlow and torch must not meet."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


def _contracted(numbers: Any, jacobian: Any) -> np.ndarray:
    """Summed over the axes that both begin with; rounded once, or the sum would lose what is asked about."""
    wide, rows = np.asarray(numbers).astype(np.longdouble), np.asarray(jacobian).astype(np.longdouble)
    return np.tensordot(wide, rows, wide.ndim)

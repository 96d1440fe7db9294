"""The matrix: which cells there are, and how a cell calls the library."""

from __future__ import annotations

import functools
import importlib
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS, Operation

from . import adapters, exceptions, limits, transforms
from .adapters.base import Adapter
from .call import Call, make_call
from .compare import HALVES, Failures
from .exact import Reference
from .specs.base import Edge, Sample, Spec

SEED = 20260

# How the properties that are transforms begin.
TRANSFORM = "transform "

# Filled by `matrix`: property -> the cells it is tested in.
PROPERTIES: dict[str, list[Cell]] = {}


@functools.cache
def spec_of(name: str) -> Spec:
    return importlib.import_module(f"tests.specs.{name}").SPEC


@functools.cache
def _samples(name: str) -> tuple[Sample, ...]:
    return tuple(spec_of(name).samples(np.random.default_rng(SEED)))


@dataclass(frozen=True)
class Cell:
    """One operation on one library in one dtype."""

    property: str
    operation: str
    backend: str
    dtype: str

    @property
    def id(self) -> str:
        return f"{self.operation}-{self.backend}-{self.dtype}"

    @property
    def op(self) -> Operation:
        return OPERATIONS[self.operation]

    @property
    def public(self) -> Callable[..., Any]:
        return getattr(ul, self.operation)

    @property
    def spec(self) -> Spec:
        return spec_of(self.operation)

    @property
    def adapter(self) -> Adapter:
        return adapters.get(self.backend)

    @property
    def row(self) -> Any:
        return self.spec.tolerance

    def samples(
        self,
        quick: bool = False,
        most: int | None = None,
        having: Callable[[Sample], bool] = lambda sample: True,
    ) -> list[Sample]:
        """The samples this dtype can hold: all, or a third of the plain ones and half of the others.

        The fewer are for the quick tier, and for everything but the values of halves.
        """
        some = [s for s in _samples(self.operation) if self.dtype in s.dtypes and having(s)]
        thin = quick or (self.dtype in HALVES and self.property != "value")
        if self.forms is not None:
            some = limits.of_forms(some, 1 if quick else self.forms)
        elif thin and len(some) > 8:
            plain = [s for s in some if self.is_plain(s)]
            some = plain[::3] + [s for s in some if s not in plain][::2]
        most = self.calls if most is None else min(most, self.calls or most)
        return some if most is None else some[:: -(-len(some) // most)]

    @property
    def calls(self) -> int | None:
        """How many calls are tried; None: all."""
        return limits.CALLS.get(self.backend, {}).get(self.property, {}).get(self.dtype)

    @property
    def forms(self) -> int | None:
        """How many forms of call are tried; None: all."""
        return limits.forms(self.backend, self.property, self.dtype)

    def is_plain(self, sample: Sample) -> bool:
        """Whether a sample gives nothing that could be left out."""
        return set(sample.options) == set(self.op.required) and len(sample.arrays) == len(self.op.arrays)

    @property
    def required(self) -> dict[str, Any]:
        """The options that have to be given, as the first sample gives them."""
        return {name: _samples(self.operation)[0].options[name] for name in self.op.required}

    def edges(self) -> list[Edge]:
        """The edges this dtype can hold; some of them where each takes long."""
        some = [edge for edge in self.spec.edges if self.dtype in edge.dtypes]
        some = some if self.forms is None else limits.of_forms(some, self.forms)
        return some if self.calls is None else some[:: -(-len(some) // self.calls)]

    def failures(self) -> Failures:
        return Failures(f"{self.property}[{self.id}]")


def matrix(
    property: str,
    *,
    backends: Iterable[str] = adapters.NAMES,
    dtypes: Iterable[str] | None = None,
    having: Callable[[Cell], bool] = lambda cell: True,
) -> Callable[[Any], Any]:
    """Parametrise a test by the cells of a property; the list of exceptions says what is expected of each."""
    cells = [
        cell
        for name in OPERATIONS
        for backend in backends
        for dtype in limits.dtypes(backend, property, adapters.dtypes(backend))
        if dtypes is None or dtype in dtypes
        if having(cell := Cell(property, name, backend, dtype))
    ]
    PROPERTIES.setdefault(property, []).extend(cells)
    return pytest.mark.parametrize("cell", [parameter(cell) for cell in cells])


def matrix_of_transforms() -> Callable[[Any], Any]:
    """Parametrise a test by operation, library and transform: each is a property of one dtype."""
    parameters = []
    for backend in transforms.LIBRARIES:
        for one in transforms.of(backend).values():
            for name in one.operations or OPERATIONS:
                cell = Cell(f"{TRANSFORM}{one.name}", name, backend, one.dtype)
                PROPERTIES.setdefault(cell.property, []).append(cell)
                parameters.append(parameter(cell, f"{name}-{backend}-{one.name}"))
    return pytest.mark.parametrize("cell", parameters)


def compiling_together(backend: str, operation: str) -> Any:
    """With `--dist loadgroup` one worker gets all that a library compiles for one operation."""
    return pytest.mark.xdist_group(f"{operation}-{backend}")


def parameter(cell: Cell, id: str | None = None) -> Any:
    """A cell as a parameter of a test, with what is expected of it."""
    marks = [pytest.mark.backend(cell.backend), compiling_together(cell.backend, cell.operation)]
    entry = exceptions.find(cell.property, cell.operation, cell.backend, cell.dtype)
    if entry is not None:
        reason = f"{entry.reason} {entry.upstream}".strip()
        marks.append(
            pytest.mark.skip(reason=reason)
            if entry.kind == "nonsense"
            else pytest.mark.xfail(reason=reason, strict=True)
        )
    return pytest.param(cell, id=id or cell.id, marks=marks)


def on_devices(property: str, dtype: str) -> list[Any]:
    """The cells of a property in one dtype on libraries with a further device."""
    return [
        parameter(cell)
        for cell in PROPERTIES[property]
        if cell.dtype == dtype and cell.backend in ("jax", "tensorflow", "strict")
    ]


def has_autodiff(backend: str) -> bool:
    return backend in ("jax", "torch", "tensorflow")


@dataclass
class Ready:
    """A sample as one library's arrays."""

    sample: Any
    call: Call
    arrays: list[Any]
    options: dict[str, Any]
    flushed: Call | None = field(default=None)

    @property
    def underflow(self) -> float:
        return getattr(self.sample, "underflow", 1.0)

    def apply(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` of the positional arrays alone."""
        return lambda *arrays: function(*arrays, **self.options)


def ready(cell: Cell, sample: Any, device: Any = None, keep_dtype: bool = False) -> Ready:
    adapter = cell.adapter
    call = make_call(cell.operation, sample, cell.dtype, keep_dtype)

    def native(value: Any) -> Any:
        return adapter.array(value, device=device) if isinstance(value, np.ndarray) else value

    arrays = [native(a) for a in call.positional().values()]
    options = {**call.options, **{name: native(a) for name, a in call.keywords().items()}}
    flushed = call.flushed() if adapter.flushes_subnormals else None
    return Ready(sample, call, arrays, options, flushed)


def run(cell: Cell, one: Ready) -> Any:
    with cell.adapter.calling():
        return cell.public(*one.arrays, **one.options)


def as_function(cell: Cell, one: Ready, moving: int = 0) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call as a function of one positional array and of all its others, and those others.

    Calls that differ in nothing but their numbers share the function, so that a library compiles it once.
    """
    # Options given as Python numbers stay what they are.
    keywords = tuple(name for name in one.call.keywords() if hasattr(one.options[name], "shape"))
    plain = tuple((name, value) for name, value in one.options.items() if name not in keywords)
    rest = [array for i, array in enumerate(one.arrays) if i != moving]
    others = (*rest, *(one.options[name] for name in keywords))
    return _function(cell.public, moving, keywords, plain), others


@functools.cache
def _function(
    public: Callable[..., Any], moving: int, keywords: tuple[str, ...], plain: tuple[Any, ...]
) -> Callable[..., Any]:
    def function(x: Any, *others: Any) -> Any:
        count = len(others) - len(keywords)
        arrays = (*others[:moving], x, *others[moving:count])
        return first(public(*arrays, **dict(zip(keywords, others[count:], strict=True)), **dict(plain)))

    return function


def first(result: Any) -> Any:
    """The number of a result that may come with its sign."""
    return result[0] if isinstance(result, tuple) else result


def both(one: Ready, question: Callable[[Call], Any]) -> list[Any]:
    """The exact answer, and the one for flushed inputs where the library flushes them."""
    return [question(call) for call in (one.call, one.flushed) if call is not None]


def random_like(shape: Sequence[int], dtype: str, *key: Any, sparse: bool = False) -> np.ndarray:
    """Reproducible numbers of either sign that every float dtype holds: multiples of 1/16 in [1/16, 2]."""
    rng = np.random.default_rng(zlib.crc32(json.dumps([*map(str, key)]).encode()))
    numbers = rng.integers(1, 33, size=shape) / 16 * rng.choice([-1.0, 1.0], size=shape)
    if sparse:
        numbers = numbers * (rng.random(size=shape) < 0.5)
    return as_dtype(numbers, dtype)


def as_dtype(numbers: Any, dtype: str) -> np.ndarray:
    from .adapters.base import as_numpy

    return as_numpy(numbers, dtype)


def references(pairs: list[tuple[np.ndarray, Reference]]) -> tuple[np.ndarray, list[Reference]]:
    """Positions (the same for all) and the references there."""
    return pairs[0][0], [reference for _, reference in pairs]


def all_cells() -> dict[str, set[tuple[str, str, str, str]]]:
    """Every cell of the matrix by library, whatever part of it this process collected."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if "@matrix" in path.read_text(encoding="utf-8"):
            importlib.import_module(f"tests.{path.stem}")
    result: dict[str, set[tuple[str, str, str, str]]] = {name: set() for name in adapters.NAMES}
    for cells in PROPERTIES.values():
        for cell in cells:
            result[cell.backend].add((cell.property, cell.operation, cell.backend, cell.dtype))
    return result

"""Declaring an operation: its public signature is all the machinery needs to know about its arguments.

    @operation
    def softmax(logits: ArrayT, /, *, axis: Axis = -1, where: Mask = None) -> ArrayT:
        \"\"\"The documentation that users read.\"\"\"

    define(softmax, RowMap(_softmax, pushforward=_product, pullback=_product))

The decorated function becomes a plain function that checks its arguments, finds their library and runs the
formula there.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, Concatenate

from . import annotations as roles
from .annotations import ArrayFunction, ArrayT, P

OPERATIONS: dict[str, Operation] = {}


class Operation:
    """One entry of the registry; everything but the rule is read off the public signature."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = function.__name__
        self.family = function.__module__.split(".")[1]
        self.function = function
        self.rule: Any = None
        self.run: Any = None
        self.known: dict[Any, Any] = {}  # forms of calls that were checked before
        self.arrays: tuple[str, ...] = ()
        self.options: dict[str, Any] = {}
        self.roles: dict[str, str] = {}
        hints = typing.get_type_hints(function, include_extras=True)
        for parameter in inspect.signature(function).parameters.values():
            role = getattr(hints[parameter.name], "__metadata__", (None,))[0]
            if parameter.kind is parameter.POSITIONAL_ONLY:
                self.arrays += (parameter.name,)
                role = role or roles.FLOAT
            else:
                self.options[parameter.name] = parameter.default
            if role:
                self.roles[parameter.name] = role
        # The arrays that decide the shape together, and those that decide the dtype.
        self.shaping = tuple(name for name in self.arrays if self.roles[name] == roles.FLOAT)
        deciding = (roles.FLOAT, roles.CLASS_VECTORS)
        self.partners = tuple(name for name in self.arrays if self.roles[name] in deciding)
        # The array whose rows are the classes, for operations that make their logits themselves.
        self.vectors = next((name for name in self.arrays if self.roles[name] == roles.CLASS_VECTORS), None)
        self.array_options = tuple(name for name in self.options if name in self.roles)
        self.plain_options = tuple(name for name in self.options if name not in self.roles)
        self.label_role = self.roles.get("labels")
        # Options without a default.
        self.required = tuple(
            name for name, default in self.options.items() if default is inspect.Parameter.empty
        )
        # None: elementwise; False: one axis only; True: an int, a tuple or None.
        self.many_axes = None if "axis" not in hints else hints["axis"] is not int
        # Losses keep the precision they were computed in, however short the logits are.
        self.keeps_dtype = self.family in ("normalizers", "logspace")

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _registered, (self.name,)


def _registered(name: str) -> Operation:
    return OPERATIONS[name]


def operation(function: Callable[Concatenate[ArrayT, P], ArrayT]) -> ArrayFunction[P]:
    """Make the public function of an operation from its signature and documentation."""
    entry = Operation(function)

    @functools.wraps(function)
    def call(*arrays: Any, **options: Any) -> Any:
        return entry.run(entry, arrays, options)

    # Pickles, tracebacks and documentation show the name that users import.
    call.__module__ = "uniflogits"
    call.__operation__ = entry  # type: ignore[attr-defined]
    entry.function = call
    OPERATIONS[entry.name] = entry
    return typing.cast("ArrayFunction[P]", call)


def define(function: Any, rule: Any) -> None:
    """Give an operation its formula and closed-form derivative."""
    from .execution import call  # which builds on this module; an import in every call takes a microsecond

    function.__operation__.rule, function.__operation__.run = rule, call


def operation_of(function: Any) -> Operation | None:
    """The registry's entry of a public function, or None for any other callable."""
    return getattr(function, "__operation__", None)

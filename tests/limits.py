"""How much of a cell is tested where a call takes a second or more."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .specs.base import Edge, Sample

# How many forms of call a cell may have where each takes a second or more: JAX compiles a program for every
# one, and so does torch where it is asked to. Calls of one form differ in nothing but their numbers, and all
# of them run. A smaller set is part of every larger one, so that properties share what is compiled.
_FEW = {"float32": 2, "float64": 1, "float16": 1, "bfloat16": 1}
_SOME = {"float32": 4, "float64": 2, "float16": 1, "bfloat16": 1}
_ONE = dict.fromkeys(_FEW, 1)
FORMS: dict[str, dict[str, dict[str, int]]] = {
    "jax": {
        "value": {"float32": 8, "float64": 4, "float16": 1, "bfloat16": 1},
        "gradient": {"float32": 5, "float64": 2, "float16": 1, "bfloat16": 1},
        "gradient_of_options": _SOME,
        "jvp": _FEW,
        "second_order": _FEW,
        "kind": _ONE,
        "inputs_unchanged": _ONE,
        "without_x64": {"float32": 2},
        "agreement": {"float32": 3, "float64": 2},
        "edges": _SOME,
        "quiet": _FEW,
    },
    # Forward accumulators build a function for every kernel of TensorFlow's and shape.
    "tensorflow": {"jvp": _SOME, "second_order": _FEW},
    "jax optimized": {
        "value": {"float32": 4, "float64": 2},
        "gradient": _ONE,
        "second_order": _ONE,
    },
}

# How many calls a cell may have where each takes long: Dask builds and walks a graph, TensorFlow calls its
# kernels one by one, hundreds of them for a divergence.
CALLS = {
    "tensorflow": {
        "gradient": {"float64": 12, "float16": 4, "bfloat16": 4},
        "jvp": {"float32": 4, "float64": 2, "bfloat16": 1},
        "second_order": {"float32": 3, "float64": 1, "bfloat16": 1},
        "edges": {"float32": 16, "float64": 6, "float16": 8, "bfloat16": 8},
        "quiet": {"float32": 8, "float64": 4, "float16": 4, "bfloat16": 4},
    },
    "torch": {"second_order": {"float32": 16, "float64": 8}},
    "dask": {
        "value": {"float32": 6, "float64": 3, "float16": 1},
        "graph": {"float32": 2},
        **dict.fromkeys(("gradient", "edges"), _SOME),
        **dict.fromkeys(("jvp", "second_order", "kind", "quiet", "inputs_unchanged"), _ONE),
    },
}

# Dask computes by NumPy, whose arrays have every dtype in every property: what is Dask's own is asked of one.
# The halves go through one formula, that of float32, and the same casts: of those that take a second or more
# one is enough.
_ONE_HALF = ("float32", "float64", "bfloat16")
DTYPES = {
    "dask": dict.fromkeys(("jvp", "second_order", "laws"), ("float32",)),
    **dict.fromkeys(("jax", "tensorflow"), dict.fromkeys(("jvp", "second_order"), _ONE_HALF)),
}

# Whether this run compiles with all optimizations, which takes several times as long.
OPTIMIZED = False


def dtypes(backend: str, property: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """In which of a library's dtypes a property is tested."""
    return DTYPES.get(backend, {}).get(property, known)


def forms(backend: str, property: str, dtype: str) -> int | None:
    """How many forms of call are tried; None: all."""
    backend = f"{backend} optimized" if OPTIMIZED else backend
    return FORMS.get(backend, {}).get(property, {}).get(dtype)


Called = TypeVar("Called", Sample, Edge)


def of_forms(some: list[Called], most: int) -> list[Called]:
    """The calls of the commonest form, and of others spread over the list."""
    forms = [_form(one) for one in some]
    known = list(dict.fromkeys(sorted(forms, key=forms.count, reverse=True)[:1] + forms))
    bits = len(known).bit_length()
    order = sorted(range(len(known)), key=lambda i: f"{i:0{bits}b}"[::-1])
    chosen = {known[i] for i in order[:most]}
    return [one for one, form in zip(some, forms, strict=True) if form in chosen]


def _form(one: Sample | Edge) -> tuple[Any, ...]:
    arrays = tuple((name, np.shape(a), np.asarray(a).dtype.kind) for name, a in one.arrays.items())
    return arrays, tuple(sorted(one.options.items())), getattr(one, "keep_dtype", False)

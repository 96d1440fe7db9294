"""What a library's own functions answer in the museum, and uniflogits on the same arrays.

`python -m tests.museum.peers <library>` prints JSON: exhibit -> {"theirs": answer, "ours": answer}, an
answer being {"numbers": hex floats} or {"error": text}; {} where the library is not installed. Each library
has a process of its own, Keras one per backend (`keras-torch`, ...).
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from uniflogits._core.operation import OPERATIONS

from . import EXHIBITS, Exhibit

# Name on the page -> the key in an exhibit's `peers`.
LIBRARIES = {
    "torch": "torch",
    "jax": "jax",
    "tensorflow": "tensorflow",
    "scipy": "scipy",
    "optax": "optax",
    "keras-torch": "keras",
    "keras-jax": "keras",
    "keras-tensorflow": "keras",
}
# What an exhibit shows -> the function of a scope that makes it of the operation.
KINDS = {"gradient": "grad", "second": "second"}
Scope = tuple[dict[str, Any], Callable[[np.ndarray, str], Any]]


def _torch() -> Scope:
    import scipy.special
    import torch

    def grad(function: Any, x: Any) -> Any:
        x = x.detach().requires_grad_()
        return torch.autograd.grad(function(x).sum(), x)[0]

    def second(function: Any, x: Any) -> Any:
        x = x.detach().requires_grad_()
        slope = torch.autograd.grad(function(x).sum(), x, create_graph=True)[0]
        return torch.autograd.grad(slope.sum(), x)[0]

    def array(value: np.ndarray, dtype: str) -> Any:
        made = torch.from_numpy(np.array(value))
        return made.to(getattr(torch, dtype)) if made.is_floating_point() else made

    names = {
        "torch": torch,
        "F": torch.nn.functional,
        "distributions": torch.distributions,
        "scipy": scipy,
        "grad": grad,
        "second": second,
    }
    return names, array


def _jax() -> Scope:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def grad(function: Any, x: Any) -> Any:
        return jax.grad(lambda x: function(x).sum())(x)

    def second(function: Any, x: Any) -> Any:
        return grad(lambda x: grad(function, x), x)

    def array(value: np.ndarray, dtype: str) -> Any:
        return jnp.asarray(value, dtype=dtype if value.dtype.kind == "f" else None)

    return {"jax": jax, "jnp": jnp, "grad": grad, "second": second}, array


def _optax() -> Scope:
    import optax

    names, array = _jax()
    return {**names, "optax": optax}, array


def _tensorflow() -> Scope:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    def grad(function: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(function(x))
        return tape.gradient(value, x)

    def second(function: Any, x: Any) -> Any:
        return grad(lambda x: grad(function, x), x)

    def array(value: np.ndarray, dtype: str) -> Any:
        made = tf.constant(value)
        return tf.cast(made, dtype) if value.dtype.kind == "f" else made

    return {"tf": tf, "grad": grad, "second": second}, array


def _scipy() -> Scope:
    import scipy
    import scipy.spatial.distance
    from scipy import special

    def array(value: np.ndarray, dtype: str) -> Any:
        return value.astype(dtype) if value.dtype.kind == "f" else value

    return {"scipy": scipy, "special": special, "numpy": np}, array


def _keras(backend: str) -> Scope:
    os.environ["KERAS_BACKEND"] = backend
    names, array = {"torch": _torch, "jax": _jax, "tensorflow": _tensorflow}[backend]()
    import keras

    return {**names, "keras": keras}, array


def _scope(library: str) -> Scope:
    if library.startswith("keras-"):
        return _keras(library.removeprefix("keras-"))
    makers = {"torch": _torch, "jax": _jax, "optax": _optax, "tensorflow": _tensorflow, "scipy": _scipy}
    return makers[library]()


def answers(library: str) -> dict[str, Any]:
    """Of every exhibit that this library has an expression for."""
    try:
        names, array = _scope(library)
    except ImportError:
        return {}
    found = {}
    for exhibit in EXHIBITS:
        expression = exhibit.peers.get(LIBRARIES[library])
        if expression is not None:
            arrays = {name: array(value, exhibit.dtype) for name, value in exhibit.inputs().items()}
            scope = {**names, **dict(zip("xyz", arrays.values(), strict=False))}
            found[exhibit.id] = {
                # The expressions are this repository's own.
                "theirs": _answer(lambda e=expression, s=scope: eval(e, s)),
                "ours": _answer(lambda e=exhibit, a=arrays, n=names: _ours(e, a, n)),
            }
    return found


def _ours(exhibit: Exhibit, arrays: dict[str, Any], names: dict[str, Any]) -> Any:
    operation = OPERATIONS[exhibit.operation]
    keywords = {name: a for name, a in arrays.items() if name not in operation.arrays}
    x, *others = (arrays[name] for name in operation.arrays)

    def function(x: Any) -> Any:
        result = operation.function(x, *others, **keywords, **exhibit.options)
        return result[0] if isinstance(result, tuple) else result

    return function(x) if exhibit.shown == "value" else names[KINDS[exhibit.shown]](function, x)


def _answer(ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        result = ask()
        if isinstance(result, tuple):
            result = result[0]
        if hasattr(result, "detach"):
            result = result.detach().double() if result.is_floating_point() else result.detach()
        elif type(result).__module__.startswith("tensorflow"):
            result = result.numpy()
        numbers = np.asarray(result).astype(np.float64).ravel()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"[:120]}
    return {"numbers": [float(number).hex() for number in numbers]}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(answers(sys.argv[1]), sys.stdout)

"""torch's transforms. Its compiler runs as far as aot_eager at most: all of its tracing, no C++ compiler."""

from __future__ import annotations

import itertools
import shutil
import warnings
from typing import Any

import pytest

from .base import Case, Lazy, Results, transform

torch: Any = Lazy("torch")
forward_ad: Any = Lazy("torch.autograd.forward_ad")


def _leaf(array: Any) -> Any:
    return array.detach().clone().requires_grad_()


def _backward(case: Case, function: Any) -> Any:
    leaf = _leaf(case.array)
    return torch.autograd.grad(function(leaf, *case.others), leaf, case.cotangent)[0]


@transform()
def grad(case: Case) -> Results:
    return {"gradient": torch.func.grad(case.loss)(*case.arrays)}


@transform()
def backward_by_some(case: Case) -> Results:
    """Every choice of the floating arrays that a gradient is asked of gives the same ones."""
    floating = [i for i, a in enumerate(case.arrays) if a.is_floating_point()]
    found: dict[int, Any] = {}
    for count in range(1, len(floating) + 1):
        for some in itertools.combinations(floating, count):
            leaves = [_leaf(a) if i in some else a for i, a in enumerate(case.arrays)]
            gradients = torch.autograd.grad(case.function(*leaves), [leaves[i] for i in some], case.cotangent)
            for i, gradient in zip(some, gradients, strict=True):
                torch.testing.assert_close(gradient, found.setdefault(i, gradient), equal_nan=True)
    return {"gradient": found[0]}


@transform(2, size=32)
def jacrev(case: Case) -> Results:
    return case.gradient_by(torch.func.jacrev(case.function)(*case.arrays))


@transform(2, size=32)
def jacfwd(case: Case) -> Results:
    return case.gradient_by(torch.func.jacfwd(case.function)(*case.arrays))


@transform(1, size=32)
def batched_backward(case: Case) -> Results:
    """A Jacobian's rows by one backward pass over all cotangents."""

    def function(array: Any) -> Any:
        return case.function(array, *case.others)

    return case.gradient_by(torch.autograd.functional.jacobian(function, case.array, vectorize=True))


@transform(1)
def backward_along_a_tangent(case: Case) -> Results:
    """A gradient is linear in the cotangent: moved along itself, the one moves like the other."""
    leaf = _leaf(case.array)
    value = case.function(leaf, *case.others)
    with forward_ad.dual_level():
        cotangent = forward_ad.make_dual(case.cotangent, case.cotangent)
        (gradient,) = torch.autograd.grad(value, leaf, cotangent)
        return {"gradient": forward_ad.unpack_dual(gradient).tangent}


def _hessian(case: Case, outer: Any, inner: Any) -> Results:
    return case.product_by(outer(inner(case.loss))(*case.arrays))


@transform(2, size=16)
def hessian(case: Case) -> Results:
    return case.product_by(torch.func.hessian(case.loss)(*case.arrays))


@transform(2, size=16)
def jacrev_of_jacrev(case: Case) -> Results:
    return _hessian(case, torch.func.jacrev, torch.func.jacrev)


@transform(2, size=16)
def jacrev_of_jacfwd(case: Case) -> Results:
    return _hessian(case, torch.func.jacrev, torch.func.jacfwd)


@transform(2, size=16)
def jacfwd_of_jacfwd(case: Case) -> Results:
    return _hessian(case, torch.func.jacfwd, torch.func.jacfwd)


@transform(1, dtype="float64", size=16)
def gradgradcheck(case: Case) -> Results:
    """Backward's own derivative against finite differences of it: torch's check, with torch's tolerances."""
    torch.autograd.gradgradcheck(case.of_array, _leaf(case.array), case.cotangent)
    return {}


@transform(maps=True)
def vmap(case: Case) -> Results:
    mapped = torch.func.vmap(case.function, case.axes)
    return {"value": mapped(*case.arrays), "gradient": _backward(case, mapped)}


def _vmap_of_grad(case: Case) -> Any:
    grad = torch.func.grad  # looked up here: the compiler would follow the import

    def gradient(cotangent: Any, *arrays: Any) -> Any:
        return grad(lambda *arrays: (case.function(*arrays) * cotangent).sum())(*arrays)

    return torch.func.vmap(gradient, (0, *case.axes))


@transform(maps=True)
def vmap_of_grad(case: Case) -> Results:
    return {"gradient": _vmap_of_grad(case)(case.cotangent, *case.arrays)}


@transform(2)
def checkpoint(case: Case) -> Results:
    def function(*arrays: Any) -> Any:
        return torch.utils.checkpoint.checkpoint(case.function, *arrays, use_reentrant=False)

    return {"gradient": _backward(case, function)}


def _compile(function: Any, backend: str = "aot_eager") -> Any:
    # All functions made by one line count against one limit of recompilations.
    torch.compiler.reset()
    # Shapes as they are, unless a dimension is marked.
    return torch.compile(function, fullgraph=True, backend=backend, dynamic=False)


def _traced(function: Any) -> Any:
    """Another transform inside a compiled function: torch takes it apart as it traces, and then has a graph
    like any other's, whose further way `compile` goes.
    """
    return _compile(function, "eager")


def _with_gradient(case: Case, compiled: Any, array: Any, *others: Any) -> Results:
    value = compiled(array, *others)
    return {"value": value, "gradient": torch.autograd.grad(value, array, case.cotangent)[0]}


@transform(2)
def compile(case: Case) -> Results:
    return _with_gradient(case, _compile(case.function), _leaf(case.array), *case.others)


@transform(1, maps=True)
def compiled_for_any_number_of_examples(case: Case) -> Results:
    """One compilation serves them all."""
    compiled = _traced(case.function)

    def some(count: int) -> list[Any]:
        arrays = []
        for place, (array, own) in enumerate(zip(case.arrays, case.examples, strict=True)):
            array = torch.cat([array] * count) if own else array
            arrays.append(array if place else _leaf(array))
            if own:
                torch._dynamo.mark_dynamic(arrays[-1], 0)
        return arrays

    compiled(*some(2))
    with torch.compiler.set_stance("fail_on_recompile"):
        compiled(*some(3)), compiled(*some(5))
        return _with_gradient(case, compiled, *some(1))


# One per kind of rule, and the cross-entropies: a C++ compiler takes long.
INDUCTOR = (
    "softmax",
    "logsumexp",
    "log_sigmoid",
    "logaddexp",
    "entropy",
    "softmax_cross_entropy",
    "softmax_cross_entropy_with_integer_labels",
    "sigmoid_binary_cross_entropy",
    "linear_cross_entropy",
)


@transform(1, operations=INDUCTOR)
def inductor(case: Case) -> Results:
    """torch's own compiler for the CPU."""
    if shutil.which("g++") is None:
        pytest.skip("torch compiles C++ with it")
    torch.compiler.reset()
    compiled = torch.compile(case.function, fullgraph=True, dynamic=False)
    with warnings.catch_warnings():  # of torch's compiler, when it is loaded
        warnings.filterwarnings("ignore", ".*torch.jit", DeprecationWarning)
        return _with_gradient(case, compiled, _leaf(case.array), *case.others)


@transform(1, maps=True)
def compiled_vmap_of_grad(case: Case) -> Results:
    return {"gradient": _traced(_vmap_of_grad(case))(case.cotangent, *case.arrays)}


@transform(1, size=16)
def compiled_hessian(case: Case) -> Results:
    return case.product_by(_traced(torch.func.hessian(case.loss))(*case.arrays))


@transform(1, size=32)
def compiled_jacfwd(case: Case) -> Results:
    return case.gradient_by(_traced(torch.func.jacfwd(case.function))(*case.arrays))


@transform(1)
def export(case: Case) -> Results:
    """A module as torch.export writes it down."""

    class Module(torch.nn.Module):
        def forward(self, *arrays: Any) -> Any:
            return case.function(*arrays)

    module = torch.export.export(Module(), case.arrays).module()
    return {"value": module(*case.arrays), "gradient": _backward(case, module)}

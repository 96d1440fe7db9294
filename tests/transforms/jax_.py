"""JAX's transforms. What is transformed is compiled as a whole, which takes less time than its pieces do."""

from __future__ import annotations

from typing import Any

from .base import Case, Lazy, Results, transform

jax: Any = Lazy("jax")
jnp: Any = Lazy("jax.numpy")


def _gradient(case: Case, function: Any) -> Any:
    """The gradient of sum(cotangent * value) by the first array, compiled."""
    return jax.jit(lambda *arrays: jax.vjp(function, *arrays)[1](case.cotangent)[0])(*case.arrays)


@transform()
def jit(case: Case) -> Results:
    compiled = jax.jit(case.function)
    return {
        "value": compiled(*case.arrays),
        "gradient": jax.vjp(compiled, *case.arrays)[1](case.cotangent)[0],
    }


@transform(1)
def grad(case: Case) -> Results:
    return {"gradient": jax.jit(jax.grad(case.loss))(*case.arrays)}


@transform(1, size=32)
def jacrev(case: Case) -> Results:
    return case.gradient_by(jax.jit(jax.jacrev(case.function))(*case.arrays))


@transform(1, size=32)
def jacfwd(case: Case) -> Results:
    return case.gradient_by(jax.jit(jax.jacfwd(case.function))(*case.arrays))


def _hessian(case: Case, outer: Any, inner: Any) -> Results:
    return case.product_by(jax.jit(outer(inner(case.loss)))(*case.arrays))


@transform(1, size=16)
def jacfwd_of_jacrev(case: Case) -> Results:
    """As jax.hessian does it."""
    return _hessian(case, jax.jacfwd, jax.jacrev)


@transform(1, size=16)
def jacrev_of_jacrev(case: Case) -> Results:
    return _hessian(case, jax.jacrev, jax.jacrev)


@transform(1, size=16)
def jacrev_of_jacfwd(case: Case) -> Results:
    return _hessian(case, jax.jacrev, jax.jacfwd)


@transform(1, size=16)
def jacfwd_of_jacfwd(case: Case) -> Results:
    return _hessian(case, jax.jacfwd, jax.jacfwd)


@transform(2, maps=True)
def vmap(case: Case) -> Results:
    mapped = jax.vmap(case.function, case.axes)
    return {"value": jax.jit(mapped)(*case.arrays), "gradient": _gradient(case, mapped)}


@transform(1, maps=True)
def vmap_of_grad(case: Case) -> Results:
    def gradient(cotangent: Any, *arrays: Any) -> Any:
        return jax.grad(lambda *arrays: jnp.sum(case.function(*arrays) * cotangent))(*arrays)

    mapped = jax.vmap(gradient, (0, *case.axes))
    return {"gradient": jax.jit(mapped)(case.cotangent, *case.arrays)}


@transform(1)
def checkpoint(case: Case) -> Results:
    return {"gradient": _gradient(case, jax.checkpoint(case.function))}


@transform(1, maps=True)
def lax_map(case: Case) -> Results:
    def mapped(*arrays: Any) -> Any:
        return jax.lax.map(lambda one: case.of_examples(*one), case.with_examples(arrays))

    return {"value": jax.jit(mapped)(*case.arrays), "gradient": _gradient(case, mapped)}


@transform(1, maps=True)
def lax_scan(case: Case) -> Results:
    def scanned(*arrays: Any) -> Any:
        def step(count: Any, one: Any) -> Any:
            return count + 1, case.of_examples(*one)

        return jax.lax.scan(step, 0, case.with_examples(arrays))[1]

    return {"value": jax.jit(scanned)(*case.arrays), "gradient": _gradient(case, scanned)}


@transform(1)
def export(case: Case) -> Results:
    """To bytes and back, with its gradient."""
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in case.arrays]
    written = jax.export.export(jax.jit(case.function))(*shapes).serialize(vjp_order=1)
    read = jax.export.deserialize(written).call
    gradient = jax.vjp(lambda array: read(array, *case.others), case.array)[1](case.cotangent)[0]
    return {"value": read(*case.arrays), "gradient": gradient}


def _on_a_mesh(case: Case, kind: Any) -> Results:
    """Examples in two halves, on a device each, where there is an even number of them."""
    mesh = jax.make_mesh((2,), ("examples",), axis_types=(kind,))
    spec = jax.sharding.PartitionSpec

    def put(array: Any, own: bool) -> Any:
        halved = own and array.shape[0] % 2 == 0
        return jax.device_put(array, jax.NamedSharding(mesh, spec("examples") if halved else spec()))

    arrays = tuple(map(put, case.arrays, case.examples))
    cotangent = put(case.cotangent, any(case.examples))

    def both(*arrays: Any) -> Any:
        value, pullback = jax.vjp(case.function, *arrays)
        return value, pullback(cotangent)[0]

    with jax.set_mesh(mesh):
        value, gradient = jax.jit(both)(*arrays)
    assert value.is_fully_addressable
    return {"value": value, "gradient": gradient}


@transform(1)
def auto_mesh(case: Case) -> Results:
    return _on_a_mesh(case, jax.sharding.AxisType.Auto)


@transform(1)
def explicit_mesh(case: Case) -> Results:
    return _on_a_mesh(case, jax.sharding.AxisType.Explicit)

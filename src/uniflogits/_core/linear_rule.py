"""The rule of losses that make their own logits: hidden states, the vectors of the classes and labels in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._math import linear
from .._math.linear import Classes
from .._math.linear_pass import Pass, total_of
from .._math.weighing import kept, pulled, pushed, reduced
from .layout import Laid, gradient_dtype, to_dtype


class LinearLoss:
    """The loss of ``hidden @ vectors.T``, a chunk of rows at a time: no array has rows × classes numbers.

    Told by the functions that `Loss` takes for logits and one-hot labels. Where the library differentiates,
    what it saves of a chunk is its rows alone, and the logits are made anew.
    """

    kind = "linear_loss"
    second_order = True

    def __init__(
        self, formula: Callable[..., Any], gradients: Callable[..., Any], curvature: Callable[..., Any]
    ) -> None:
        self.formula, self.gradients, self.curvature = formula, gradients, curvature

    def value(self, laid: Laid) -> Any:
        xp, (h, vectors, labels), bias = laid.xp, laid.arrays, laid.numbers["bias"]
        none = laid.weighing.reduction == "none"
        arrays, given = (h, vectors, bias), (labels, _traced(laid))

        def one_pass(given: Any, arrays: Any, factors: Any) -> Pass:
            return self._pass(_relaid(laid, given, *arrays), factors)

        def exact(given: Any, *arrays: Any) -> Any:
            return self._exact(_relaid(laid, given, *arrays))

        def exact_total(given: Any, h: Any, vectors: Any, bias: Any, factors: Any) -> Any:
            return total_of(xp, exact(given, h, vectors, bias), factors)

        if laid.numbers["class_weights"] is not None:
            # A pass has no gradient by these.
            raw = self._exact(laid)
        elif none:
            raw = xp.linear_losses(exact, one_pass, arrays, given)
        else:
            return xp.linear_total(exact_total, one_pass, arrays, given, self._factors(laid, 1.0))
        out = reduced(xp, laid.weighing, raw, _shares(laid))
        return xp.reshape(out, laid.shape[:-1]) if none else out

    def _exact(self, laid: Laid) -> Any:
        """The raw losses by formulas of which plain autodiff is exact to the second order."""
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)

        def losses(h: Any, vectors: Any, bias: Any, weights: Any, labels: Any) -> Any:
            options = {**classes.options, "class_weights": weights}
            now = classes._replace(vectors=vectors, bias=bias, options=options)
            return linear.raw_losses(xp, self.formula, now, h, labels)

        if _chunk(laid, small=True) is not None:
            losses = xp.recomputed(losses)

        def step(carry: Any, rows: Any) -> Any:
            h, labels = rows
            shared = vectors, classes.bias, classes.options["class_weights"]
            return carry, (losses(h, *shared, labels),)

        return _over_chunks(laid, step, (), (h, labels))[1][0]

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        return self.value_and_pullback(laid, cotangent)[1]

    def value_and_pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, tuple[Any, ...]]:
        """Both at once: the value costs nothing beside the gradients."""
        found = self._pass(laid, self._factors(laid, cotangent))
        out = reduced(laid.xp, laid.weighing, found.raw, _shares(laid))
        if laid.weighing.reduction == "none":
            out = laid.xp.reshape(out, laid.shape[:-1])
        return out, self._restored(laid, found.by_hidden, found.by_vectors)

    def _pass(self, laid: Laid, factors: Any) -> Pass:
        """The losses of all rows, and the gradients of their sum times the factors (None: not those)."""
        xp, (h, vectors, labels), bias = laid.xp, laid.arrays, laid.numbers["bias"]
        if _is_plain(laid):
            size = _chunk(laid, small=False)
            return xp.linear_pass((h, vectors, bias), labels, factors, laid.numbers["z_loss"], size)
        classes = _classes(laid)

        def step(carry: Any, rows: Any) -> Any:
            h, labels, *factor = rows
            raw = linear.raw_losses(xp, self.formula, classes, h, labels)
            if not factor:
                return carry, (raw,)
            slope = linear.scaled(xp, linear.slopes(xp, self.gradients, classes, h, labels), factor[0])
            by_vectors, by_bias = carry
            by_bias = None if bias is None else by_bias + xp.sum(slope, axis=0)
            by_vectors = by_vectors + xp.matmul(_transposed(xp, slope), h)
            return (by_vectors, by_bias), (raw, xp.matmul(slope, vectors))

        if factors is None:
            return Pass(_over_chunks(laid, step, (), (h, labels))[1][0])
        nothing = xp.zeros_like(vectors), None if bias is None else xp.zeros_like(bias)
        (by_vectors, by_bias), (raw, by_h) = _over_chunks(laid, step, nothing, (h, labels, factors))
        return Pass(raw, by_h, by_vectors, by_bias)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp, (h, _, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, turned = self._tangents(laid, tangents)

        def step(carry: Any, rows: Any) -> Any:
            h, labels, t = rows
            slope = linear.slopes(xp, self.gradients, classes, h, labels)
            raw = linear.raw_losses(xp, self.formula, classes, h, labels)
            return carry, (raw, xp.sum(slope * self._moved(xp, classes, h, t, turned), axis=-1))

        _, (raw, tangent) = _over_chunks(laid, step, (), (h, labels, t))
        out = pushed(xp, laid.weighing, raw, _shares(laid), tangent, None)
        return out if laid.weighing.reduction != "none" else xp.reshape(out, laid.shape[:-1])

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, _ = self._tangents(laid, (direction, None))

        def step(total: Any, rows: Any) -> Any:
            h, labels, factor, t = rows
            moved = xp.inner(t, classes.vectors)
            slope, bent = linear.bent(xp, self.gradients, self.curvature, classes, h, labels, moved)
            slope, bent = (linear.scaled(xp, one, factor) for one in (slope, bent))
            total = total + xp.matmul(_transposed(xp, bent), h) + xp.matmul(_transposed(xp, slope), t)
            return total, (xp.matmul(bent, vectors),)

        rows = (h, labels, self._factors(laid, cotangent), t)
        by_vectors, (by_h,) = _over_chunks(laid, step, xp.zeros_like(vectors), rows)
        return self._restored(laid, by_h, by_vectors)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, turned = self._tangents(laid, tangents)

        def step(carry: Any, rows: Any) -> Any:
            h, labels, factor, t = rows
            moved = self._moved(xp, classes, h, t, turned)
            slope, bent = linear.bent(xp, self.gradients, self.curvature, classes, h, labels, moved)
            out = xp.matmul(linear.scaled(xp, bent, factor), vectors)
            if turned is not None:
                out = out + xp.matmul(linear.scaled(xp, slope, factor), turned)
            return carry, (out,)

        _, (out,) = _over_chunks(laid, step, (), (h, labels, self._factors(laid, cotangent), t))
        return self._restored(laid, out, None)[0]

    def _factors(self, laid: Laid, cotangent: Any) -> Any:
        """The reduced loss's derivative by each raw loss, times the cotangent."""
        xp, (h, _, labels) = laid.xp, laid.arrays
        if laid.weighing.reduction == "none":
            cotangent = xp.reshape(cotangent, xp.dims(labels))
        factors, _ = pulled(xp, laid.weighing, xp.astype(labels == labels, h.dtype), _shares(laid), cotangent)
        return xp.broadcast_to(factors, xp.dims(labels))

    def _tangents(self, laid: Laid, tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        """The tangent of the hidden states in rows, and that of the vectors (None: 0)."""
        xp, (h, _, _) = laid.xp, laid.arrays
        return kept(xp, laid.weighing, xp.reshape(tangents[0], xp.dims(h))), tangents[1]

    def _moved(self, xp: Any, classes: Classes, h: Any, t: Any, turned: Any) -> Any:
        """How the products move with the hidden states along t, and with the vectors along `turned`."""
        moved = xp.inner(t, classes.vectors)
        return moved if turned is None else moved + xp.inner(h, turned)

    def _restored(self, laid: Laid, by_h: Any, by_vectors: Any) -> tuple[Any, ...]:
        xp = laid.xp
        # A class weight may be no number, and none times 0 either.
        by_h = kept(xp, laid.weighing, by_h)
        by_h = to_dtype(xp, xp.reshape(by_h, laid.shape), gradient_dtype(laid, 0))
        if by_vectors is not None:
            by_vectors = to_dtype(xp, by_vectors, gradient_dtype(laid, 1))
        return by_h, by_vectors, None


def _classes(laid: Laid) -> Classes:
    options = {key: value for key, value in laid.numbers.items() if key != "chunk_size"}
    bias, softcap = options.pop("bias"), options.pop("softcap")
    return Classes(laid.arrays[1], bias, softcap, laid.plan.trusted, options)


def _traced(laid: Laid) -> dict[str, Any]:
    """Numbers that a library may trace. What is attached to its autodiff runs when their trace is over."""
    return {name: laid.numbers[name] for name in ("label_smoothing", "z_loss", "softcap")}


def _relaid(laid: Laid, given: Any, h: Any, vectors: Any, bias: Any) -> Laid:
    """The call with other arrays and traced numbers, of the same shapes."""
    labels, numbers = given
    return laid._replace(arrays=(h, vectors, labels), numbers={**laid.numbers, **numbers, "bias": bias})


def _transposed(xp: Any, matrix: Any) -> Any:
    return xp.permute_dims(matrix, (1, 0))


def _shares(laid: Laid) -> Any:
    return linear.shares(laid.xp, laid.arrays[2], laid.plan.trusted, laid.numbers["class_weights"])


def _chunk(laid: Laid, small: bool) -> int | None:
    """How many rows make a chunk; None where all of them do, or where the shapes are not known yet."""
    given, (count, width) = laid.numbers["chunk_size"], laid.xp.dims(laid.arrays[0])
    classes = laid.xp.dims(laid.arrays[1])[0]
    if given is None and isinstance(width, int) and isinstance(classes, int):
        given = linear.chunk_rows(width, classes, small)
    return given if isinstance(count, int) and given is not None and count > given else None


def _over_chunks(laid: Laid, step: Callable[..., Any], carry: Any, rows: tuple[Any, ...]) -> tuple[Any, Any]:
    return linear.in_chunks(laid.xp, step, carry, rows, _chunk(laid, small=True))


def _is_plain(laid: Laid) -> bool:
    """Whether only what a single pass knows is asked for."""
    return all(laid.numbers[name] is None for name in ("class_weights", "label_smoothing", "softcap"))

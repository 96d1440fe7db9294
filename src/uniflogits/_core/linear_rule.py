"""The rule of losses that make their own logits: hidden states, the vectors of the classes and labels in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._math import linear
from .._math.linear import Classes
from .._math.weighing import pulled, pushed, reduced
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
        xp, (h, _, labels), classes = laid.xp, laid.arrays, _classes(laid)
        bias, weights = classes.bias, classes.options["class_weights"]

        def losses(h: Any, columns: Any, bias: Any, weights: Any, labels: Any) -> Any:
            options = {**classes.options, "class_weights": weights}
            now = classes._replace(columns=columns, bias=bias, options=options)
            return linear.raw_losses(xp, self.formula, now, h, labels)

        if _is_many(laid):
            losses = xp.recomputed(losses)

        def step(carry: Any, rows: Any) -> Any:
            h, labels = rows
            return carry, (losses(h, classes.columns, bias, weights, labels),)

        _, (raw,) = _over_chunks(laid, step, (), (h, labels))
        out = reduced(xp, laid.weighing, raw, _shares(laid))
        return out if laid.weighing.reduction != "none" else xp.reshape(out, laid.shape[:-1])

    def pullback(self, laid: Laid, cotangent: Any) -> tuple[Any, ...]:
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)

        def step(total: Any, rows: Any) -> Any:
            h, labels, factor = rows
            slope = linear.slopes(xp, self.gradients, classes, h, labels)
            slope = linear.scaled(xp, slope, factor)
            return total + _transposed(xp, slope) @ h, (slope @ vectors,)

        rows = (h, labels, self._factors(laid, cotangent))
        by_vectors, (by_h,) = _over_chunks(laid, step, xp.zeros_like(vectors), rows)
        return self._restored(laid, by_h, by_vectors)

    def pushforward(self, laid: Laid, tangents: tuple[Any, ...]) -> Any:
        xp, (h, _, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, columns = self._tangents(laid, tangents)

        def step(carry: Any, rows: Any) -> Any:
            h, labels, t = rows
            slope = linear.slopes(xp, self.gradients, classes, h, labels)
            raw = linear.raw_losses(xp, self.formula, classes, h, labels)
            return carry, (raw, xp.sum(slope * self._moved(classes, h, t, columns), axis=-1))

        _, (raw, tangent) = _over_chunks(laid, step, (), (h, labels, t))
        out = pushed(xp, laid.weighing, raw, _shares(laid), tangent, None)
        return out if laid.weighing.reduction != "none" else xp.reshape(out, laid.shape[:-1])

    def pullback_of_gradient(self, laid: Laid, cotangent: Any, direction: Any) -> tuple[Any, ...]:
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, _ = self._tangents(laid, (direction, None))

        def step(total: Any, rows: Any) -> Any:
            h, labels, factor, t = rows
            moved = t @ classes.columns
            slope, bent = linear.bent(xp, self.gradients, self.curvature, classes, h, labels, moved)
            slope, bent = (linear.scaled(xp, one, factor) for one in (slope, bent))
            return total + _transposed(xp, bent) @ h + _transposed(xp, slope) @ t, (bent @ vectors,)

        rows = (h, labels, self._factors(laid, cotangent), t)
        by_vectors, (by_h,) = _over_chunks(laid, step, xp.zeros_like(vectors), rows)
        return self._restored(laid, by_h, by_vectors)

    def pushforward_of_gradient(self, laid: Laid, cotangent: Any, tangents: tuple[Any, ...]) -> Any:
        xp, (h, vectors, labels), classes = laid.xp, laid.arrays, _classes(laid)
        t, columns = self._tangents(laid, tangents)

        def step(carry: Any, rows: Any) -> Any:
            h, labels, factor, t = rows
            moved = self._moved(classes, h, t, columns)
            slope, bent = linear.bent(xp, self.gradients, self.curvature, classes, h, labels, moved)
            out = linear.scaled(xp, bent, factor) @ vectors
            if columns is not None:
                out = out + linear.scaled(xp, slope, factor) @ _transposed(xp, columns)
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
        """The tangent of the hidden states in rows, and that of the vectors in columns (None: 0)."""
        xp, (h, _, _) = laid.xp, laid.arrays
        t = xp.reshape(tangents[0], xp.dims(h))
        if laid.weighing.removed is not None:
            t = xp.where(laid.weighing.removed[..., None], 0.0, t)
        return t, None if tangents[1] is None else _transposed(xp, tangents[1])

    def _moved(self, classes: Classes, h: Any, t: Any, columns: Any) -> Any:
        moved = t @ classes.columns
        return moved if columns is None else moved + h @ columns

    def _restored(self, laid: Laid, by_h: Any, by_vectors: Any) -> tuple[Any, ...]:
        xp = laid.xp
        by_h = to_dtype(xp, xp.reshape(by_h, laid.shape), gradient_dtype(laid, 0))
        if by_vectors is not None:
            by_vectors = to_dtype(xp, by_vectors, gradient_dtype(laid, 1))
        return by_h, by_vectors, None


def _classes(laid: Laid) -> Classes:
    options = {key: value for key, value in laid.numbers.items() if key != "chunk_size"}
    bias, softcap = options.pop("bias"), options.pop("softcap")
    columns = _transposed(laid.xp, laid.arrays[1])
    return Classes(columns, bias, softcap, laid.plan.trusted, options)


def _transposed(xp: Any, matrix: Any) -> Any:
    return xp.permute_dims(matrix, (1, 0))


def _shares(laid: Laid) -> Any:
    return linear.shares(laid.xp, laid.arrays[2], laid.plan.trusted, laid.numbers["class_weights"])


def _rows_at_once(laid: Laid) -> int | None:
    """How many rows make a chunk; None where the shapes are not known yet: all of them."""
    given, (count, width) = laid.numbers["chunk_size"], laid.xp.dims(laid.arrays[0])
    classes = laid.xp.dims(laid.arrays[1])[0]
    if not isinstance(count, int):
        return None
    if given is not None:
        return given
    known = isinstance(width, int) and isinstance(classes, int)
    return linear.chunk_rows(width, classes) if known else None


def _is_many(laid: Laid) -> bool:
    size = _rows_at_once(laid)
    return size is not None and laid.xp.dims(laid.arrays[0])[0] > size


def _over_chunks(laid: Laid, step: Callable[..., Any], carry: Any, rows: tuple[Any, ...]) -> tuple[Any, Any]:
    """step(carry, rows of a chunk) -> carry, tuple of results with a row each; the results are joined."""
    size = _rows_at_once(laid)
    if size is None or not _is_many(laid):
        return step(carry, rows)
    return laid.xp.over_chunks(step, carry, rows, size)

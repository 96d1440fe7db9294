"""Cross-entropy of hidden states, vectors of the classes and labels, with its gradients, in one pass.

The label's logit is compared with the logsumexp of all *other* classes: with ``gap`` the difference, the loss
is log(1 + e^-gap) and 1 - p of the label is 1 / (1 + e^gap), both with all their digits. So is p of another
class, its share among the others times that. Values are exact under no autodiff, nor need they be: the
gradients come with them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .linear import in_chunks, of_labels
from .products import product
from .targets import one_hot


class Pass(NamedTuple):
    """What a pass gives; what was not asked for is None."""

    raw: Any  # (N,): the loss of each row
    by_hidden: Any = None  # of the sum of factors · raw
    by_vectors: Any = None
    by_bias: Any = None


class Row(NamedTuple):
    """Each row's numbers, (n,)."""

    raw: Any
    others: Any  # derivative of raw by a class's logit, over its share among the others
    label: Any  # and by the label's


def rows_of(xp: Any, own: Any, largest: Any, total: Any, z_loss: Any) -> Row:
    """From the label's logit, the largest of the others, and their Σ e^(x - largest), 0 without others."""
    alone, dead = total == 0, (total == 0) & (own == -xp.inf)
    log_total = xp.log(xp.where(alone, 1.0, total))
    # Equal infinities share the mass: they are 0 apart.
    apart = xp.where(own == largest, 0.0, own - xp.where(own == largest, 0.0, largest))
    gap = xp.where(alone, xp.where(xp.isnan(own), xp.nan, xp.inf + log_total), apart - log_total)
    gap = xp.where(dead, -xp.inf, gap)
    decay = xp.exp(xp.where(gap > 0, -gap, gap))
    small = xp.log1p(decay)
    missed = xp.where(gap > 0, decay, 1.0) / (1.0 + decay)
    raw = xp.where(gap < 0, small - gap, small)
    label = xp.where(dead, 0.0, -missed)
    if z_loss is None:
        return Row(raw, missed, label)
    lse = xp.where(gap < 0, largest + (log_total + small), own + small)
    lse = xp.where(dead, 0.0, lse)
    steep = 2.0 * z_loss * lse
    hit = xp.where(gap > 0, 1.0, decay) / (1.0 + decay)
    return Row(raw + z_loss * xp.square(lse), missed * (1.0 + steep), label + product(xp, hit, steep))


def total_of(xp: Any, raw: Any, factors: Any) -> Any:
    return xp.sum(product(xp, factors, raw))


def one_pass(
    xp: Any, arrays: tuple[Any, Any, Any], labels: Any, factors: Any, z_loss: Any, size: int | None
) -> Pass:
    """Losses of all rows and, where factors are given, the gradients of Σ factors · raw.

    ``arrays`` are hidden states, vectors and bias (or None); a label of -1 is invalid. `size` rows at a time;
    None: all.
    """
    h, vectors, bias = arrays

    def step(carry: Any, rows: Any) -> Any:
        h, labels, *factor = rows
        x = xp.inner(h, vectors)
        x = x if bias is None else x + bias
        hot = one_hot(xp, labels, x)
        own = xp.where(labels < 0, xp.nan, xp.sum(xp.where(hot == 1, x, 0.0), axis=-1))
        x = xp.where(hot == 1, -xp.inf, x)
        largest = xp.max(x, axis=-1)
        least = xp.where(largest == -xp.inf, 0.0, largest)[..., None]
        # At infinities too: those that are equal share the mass.
        terms = xp.where(x == least, 1.0, xp.exp(x - least))
        total = xp.sum(terms, axis=-1)
        row = rows_of(xp, own, largest, total, z_loss)
        if not factor:
            return carry, (row.raw,)
        others = factor[0] * row.others / xp.where(total == 0, 1.0, total)
        label = (factor[0] * row.label)[..., None]
        slope = xp.where(hot == 1, label, terms * others[..., None])
        by_vectors, by_bias = carry
        by_vectors = by_vectors + xp.matmul(xp.permute_dims(slope, (1, 0)), h)
        by_bias = None if bias is None else by_bias + xp.sum(slope, axis=0)
        # The label's part by itself: beside it each of the many others' is rounded to what that can hold.
        by_h = xp.matmul(terms, vectors) * others[..., None] + label * of_labels(xp, vectors, labels)
        return (by_vectors, by_bias), (row.raw, by_h)

    if factors is None:
        return Pass(in_chunks(xp, step, (), (h, labels), size)[1][0])
    nothing = xp.zeros_like(vectors), None if bias is None else xp.zeros_like(bias)
    (by_vectors, by_bias), (raw, by_h) = in_chunks(xp, step, nothing, (h, labels, factors), size)
    return Pass(raw, by_h, by_vectors, by_bias)

"""The kinds of operations: how formula and closed-form derivative make a value, a pullback and a tangent.

Each kind is told the mathematics on rows and does the rest: masks, reductions, layout, dtypes. All of them
offer

    value(laid)                      the operation itself
    pullback(laid, cotangent)        one gradient per positional array, None for labels that are no numbers
    pushforward(laid, tangents)      the tangent of the value
and, where `second_order` is True, the same two of the gradient by the first array
    pullback_of_gradient(laid, cotangent, direction)
    pushforward_of_gradient(laid, cotangent, tangents)
"""

from __future__ import annotations

from .elementwise_rules import Elementwise as Elementwise
from .elementwise_rules import ElementwisePair as ElementwisePair
from .linear_rule import LinearLoss as LinearLoss
from .loss_rule import Loss as Loss
from .row_rules import Divergence as Divergence
from .row_rules import Quick as Quick
from .row_rules import Reduction as Reduction
from .row_rules import RowMap as RowMap

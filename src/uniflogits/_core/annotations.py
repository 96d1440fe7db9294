"""The types that public signatures are written in, and what each says about an argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar, overload

import numpy as np

ArrayT = TypeVar("ArrayT")
P = ParamSpec("P")

# A role tells the machinery what an array argument is and therefore how it is checked and cast.
FLOAT = "float"
INTEGER_LABELS = "integer_labels"
DENSE_LABELS = "dense_labels"
BINARY_LABELS = "binary_labels"
MASK = "mask"
WEIGHTS = "weights"
CLASS_WEIGHTS = "class_weights"
ELEMENT_WEIGHTS = "element_weights"
CLASS_VECTORS = "class_vectors"
CLASS_BIAS = "class_bias"

Partner: TypeAlias = Annotated[Any, FLOAT]  # a second array on equal terms with the first
IntegerLabels: TypeAlias = Annotated[Any, INTEGER_LABELS]
DenseLabels: TypeAlias = Annotated[Any, DENSE_LABELS]
BinaryLabels: TypeAlias = Annotated[Any, BINARY_LABELS]
Mask: TypeAlias = Annotated[Any, MASK]
Weights: TypeAlias = Annotated[Any, WEIGHTS]
ClassWeights: TypeAlias = Annotated[Any, CLASS_WEIGHTS]
ElementWeights: TypeAlias = Annotated[Any, ELEMENT_WEIGHTS]
ClassVectors: TypeAlias = Annotated[Any, CLASS_VECTORS]  # one row per class: logits are products with it
ClassBias: TypeAlias = Annotated[Any, CLASS_BIAS]  # a number per class, added to its logits

SingleAxis: TypeAlias = int
Axis: TypeAlias = int | tuple[int, ...] | None
Reduction: TypeAlias = Literal["none", "sum", "mean"]

Nested: TypeAlias = float | Sequence["Nested"]


class ArrayFunction(Protocol[P]):
    """A public operation: the kind of array that goes in comes out; lists and numbers give NumPy."""

    __name__: str

    @overload
    def __call__(self, x: Nested, /, *args: P.args, **kwargs: P.kwargs) -> np.ndarray: ...
    @overload
    def __call__(self, x: ArrayT, /, *args: P.args, **kwargs: P.kwargs) -> ArrayT: ...

"""A loss as Keras calls it: labels first and as floats, one loss per example, added up by Keras."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from .._backends import Backend, find_backend
from .._core import annotations as roles
from .._core.differentiation import called
from .._core.dtypes import FLOATS, dtype_name
from .._core.errors import type_error
from .._core.operation import OPERATIONS, Operation, operation_of
from .._core.options import NUMBERS, STATIC, check_axis
from .._core.shapes import same_shape

# From here on, neighbouring integers are one number in a float: which one the label was cannot be told.
_INEXACT = {"float16": 2.0**11, "bfloat16": 2.0**8, "float32": 2.0**24, "float64": 2.0**24}


def keras_loss(op: Callable[..., Any], /, **options: Any) -> KerasLoss:
    """A loss for ``model.compile(loss=...)``, on every backend of Keras.

    Keras calls its losses with the labels first, hands labels over as floats even where they are class
    indices, and adds the losses of a batch up itself. This turns the arguments round, turns class indices
    back into integers, and leaves reduction and sample weights to Keras.

    Parameters
    ----------
    op : operation
        A loss of uniflogits that takes logits and labels, or a ``functools.partial`` of one. The last layer
        of the model has no activation.
    **options
        Options of the loss but ``reduction``. Arrays among them (``class_weights``, ``pos_weight``) are best
        given as lists or NumPy arrays, which go with every backend.

    Returns
    -------
    KerasLoss
        A callable ``loss(y_true, y_pred)`` that gives one loss per example, of the logits' shape without the
        class axis. Losses of the sigmoid are averaged over the last axis, as Keras' own are. It can be
        pickled and copied, and Keras saves it with the model.

    Raises
    ------
    TypeError
        ``op`` is no loss of logits and labels, it has no such option, or ``reduction`` is given.
    ValueError
        An option is outside its range. When called: what ``op`` raises for its labels and shapes.

    Notes
    -----
    *Labels* of losses that take class indices may be floats here, and nowhere else. One that is not whole, or
    so large (2²⁴ in float32) that the float may stand for another integer, makes its example's loss and
    gradient NaN. Labels of shape (N, 1) are squeezed to (N,).

    *Reduction*: Keras divides by the number of all examples, those with ``ignore_index``, which cost 0, too.

    *Saving*: ``keras.saving.load_model`` finds the loss again once `keras_loss` has been called in the
    process; ``load_model(path, compile=False)`` does without it.

    Examples
    --------
    >>> import numpy as np, uniflogits as ul
    >>> loss = ul.keras_loss(ul.softmax_cross_entropy_with_integer_labels, label_smoothing=0.1)
    >>> loss
    uniflogits.keras_loss(uniflogits.softmax_cross_entropy_with_integer_labels, label_smoothing=0.1)
    >>> loss(np.array([[0.0]], dtype=np.float32), np.array([[2.5, 1.0, -1.2]])).round(3)
    array([0.395])

    In a model: ``model.compile(optimizer="adam", loss=loss)``.
    """
    return KerasLoss(op, options)


class KerasLoss:
    """What `keras_loss` returns: ``loss(y_true, y_pred)``, unreduced."""

    def __init__(self, op: Callable[..., Any], options: dict[str, Any]) -> None:
        while isinstance(op, functools.partial):
            if op.args:
                raise type_error("keras_loss", "op must not be a partial that gives arrays by position")
            op, options = op.func, {**op.keywords, **options}
        operation = operation_of(op)
        if operation is None or operation.arrays != ("logits", "labels"):
            _refuse(op)
        self.op, self.name = op, operation.name
        self.options = {name: _checked(operation, name, value) for name, value in options.items()}
        _register()

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"uniflogits.keras_loss(uniflogits.{self.name}{options})"

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        operation = OPERATIONS[self.name]
        backend = find_backend(type(y_pred), y_pred)
        # Lists, and arrays of two libraries, are for the operation to judge.
        alike = find_backend(type(y_true), y_true) is backend
        if operation.roles["labels"] == roles.INTEGER_LABELS and backend is not None and alike:
            axis = self.options.get("axis", -1)
            stand_in = 1.0 if self.options.get("ignore_index") == 0 else 0.0
            y_true, y_pred = _class_indices(operation, backend, y_true, y_pred, axis, stand_in)
        losses = self.op(y_pred, y_true, reduction="none", **self.options)
        if operation.many_axes is None and backend is not None and len(losses.shape) > 1:
            return backend.xp.mean(losses, axis=-1)
        return losses

    def get_config(self) -> dict[str, Any]:
        """What Keras writes into a saved model: names, numbers and lists."""
        _register()
        return {"op": self.name, "options": {name: _plain(value) for name, value in self.options.items()}}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> KerasLoss:
        """The loss that `get_config` described."""
        options = dict(config["options"])
        if isinstance(options.get("axis"), list):
            options["axis"] = tuple(options["axis"])  # JSON knows no tuples
        return cls(OPERATIONS[config["op"]].function, options)


def _refuse(op: Any) -> NoReturn:
    losses = ", ".join(name for name, one in OPERATIONS.items() if one.arrays == ("logits", "labels"))
    raise type_error(
        "keras_loss",
        f"op must be a loss of uniflogits that takes logits and labels ({losses}), got {called(op)}",
    )


def _checked(operation: Operation, option: str, value: Any) -> Any:
    """What can be told of an option before there are arrays; NumPy arrays go with every backend as lists."""
    if option == "reduction":
        raise type_error(
            "keras_loss", f"reduction must be left to Keras, which adds the losses up itself, got {value!r}"
        )
    if option not in operation.options:
        known = ", ".join(name for name in operation.options if name != "reduction")
        raise type_error("keras_loss", f"{operation.name} has no option {option!r}; its options are: {known}")
    if option in operation.plain_options and option != "axis":
        (NUMBERS[option] if option in NUMBERS else STATIC[option])(operation.name, option, value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def _class_indices(
    operation: Operation, backend: Backend, labels: Any, logits: Any, axis: Any, stand_in: float
) -> tuple[Any, Any]:
    """Labels as integers, and logits that are NaN wherever a label was no integer."""
    xp, shape = backend.xp, backend.shape(logits)
    if len(labels.shape) == len(shape) and labels.shape[-1] == 1:
        labels = labels[..., 0]
    name = dtype_name(labels.dtype)
    if name not in FLOATS:
        return labels, logits
    # A NaN compares false.
    whole = (xp.abs(labels) < _INEXACT[name]) & (xp.floor(labels) == labels)
    safe = xp.where(whole, labels, stand_in)
    indices = xp.astype(safe, backend.dtype(backend.index_name(logits)))
    (place,) = check_axis(operation.name, "logits", axis, shape, False)
    if same_shape(backend.shape(labels), shape[:place] + shape[place + 1 :]):
        # Adding NaN, unlike choosing it, makes the gradient NaN too.
        nothing = xp.where(whole, 0.0 * safe, xp.nan)
        if dtype_name(logits.dtype) in FLOATS:
            nothing = xp.astype(nothing, logits.dtype)
        logits = logits + nothing[(slice(None),) * place + (None,)]
    return indices, logits


def _plain(value: Any) -> Any:
    value = value.numpy() if hasattr(value, "numpy") else value
    return value.tolist() if hasattr(value, "tolist") else value


def _register() -> None:
    """Tell Keras, where it is loaded, the name under which it saves and finds this class."""
    saving = getattr(sys.modules.get("keras"), "saving", None)
    if saving is not None:
        saving.register_keras_serializable(package="uniflogits")(KerasLoss)

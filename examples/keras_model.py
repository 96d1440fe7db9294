"""Train a Keras model with uniflogits.keras_loss and with Keras' own loss, and compare the two.

    python examples/keras_model.py
    python examples/keras_model.py --backend jax

`keras_loss` makes a loss for `model.compile` out of an operation, on every backend of Keras.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from spirals import ARMS, WIDTH, Run, check, compare, fallen, options_of, spirals

import uniflogits as ul

OURS, THEIRS = "uniflogits", "Keras' own"
BACKENDS = ("tensorflow", "jax", "torch")
RATE = 0.05


def make_loss(name: str) -> Any:
    import keras

    if name == THEIRS:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return ul.keras_loss(ul.softmax_cross_entropy_with_integer_labels)


def train(name: str, advance: Callable[[], None], steps: int) -> Run:
    import keras

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(WIDTH, activation="tanh"), keras.layers.Dense(ARMS)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(optimizer=keras.optimizers.Adam(RATE), loss=make_loss(name))
    losses: list[float] = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            losses.append(float(logs["loss"]))
            advance()
            self.model.stop_training = fallen(losses)

    rows, labels = spirals()
    # All points in one batch: an epoch is a step.
    model.fit(rows, labels, batch_size=len(rows), epochs=steps, shuffle=False, verbose=0, callbacks=[Watch()])
    return Run(name, losses, lambda points: keras.ops.convert_to_numpy(model(points)), 0.0)


def main(arguments: list[str] | None = None) -> int:
    parser = options_of(__doc__, "keras_model")
    parser.add_argument("--backend", choices=BACKENDS, default="tensorflow", help="of Keras")
    options = parser.parse_args(arguments)
    check(parser, options, options.backend, "keras")

    def load() -> None:
        os.environ["KERAS_BACKEND"] = options.backend
        # Keras imports TensorFlow whatever its backend, and that greets.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        import keras  # noqa: F401

    parser.load("keras", load)
    name = f"Keras on {options.backend}"
    return compare(options, name, functools.partial(train, steps=options.steps), (OURS, THEIRS))


if __name__ == "__main__":
    sys.exit(main())

"""Train a torch.nn.Module with uniflogits' loss and with torch's own, and compare the two.

    python examples/torch_module.py

The loss is an ordinary function of tensors: autograd goes through it, and in a model it needs no wrapping.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from spirals import ARMS, WIDTH, Run, check, compare, descend, options_of, spirals

import uniflogits as ul

OURS, THEIRS = "uniflogits", "torch's own"
RATE = 0.05


def make_model() -> Any:
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.scores = nn.Linear(2, WIDTH), nn.Linear(WIDTH, ARMS)

        def forward(self, rows: Any) -> Any:
            return self.scores(self.hidden(rows).tanh())

    return Network()


def mean_loss(name: str) -> Callable[[Any, Any], Any]:
    from torch.nn import functional

    if name == THEIRS:
        return functional.cross_entropy
    return functools.partial(ul.softmax_cross_entropy_with_integer_labels, reduction="mean")


def train(name: str, advance: Callable[[], None], steps: int) -> Run:
    import torch

    torch.set_num_threads(1)  # a network as small as this loses by more
    torch.manual_seed(0)
    model, loss_of = make_model(), mean_loss(name)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    rows, labels = map(torch.asarray, spirals())

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(rows), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = descend(step, steps, advance)

    def scores(points: Any) -> Any:
        with torch.inference_mode():
            return model(torch.asarray(points)).numpy()

    return Run(name, losses, scores, 0.0)


def main(arguments: list[str] | None = None) -> int:
    parser = options_of(__doc__, "torch_module")
    options = parser.parse_args(arguments)
    check(parser, options, "torch")

    def load() -> None:
        import torch  # noqa: F401

    parser.load("torch", load)
    return compare(options, "torch", functools.partial(train, steps=options.steps), (OURS, THEIRS))


if __name__ == "__main__":
    sys.exit(main())

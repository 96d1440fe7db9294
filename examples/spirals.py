"""What torch_module.py, equinox_model.py and keras_model.py share: the data, and two training runs compared.

Each trains the same small network twice from the same start, once with uniflogits' loss and once with the
framework's own, until the loss has fallen to a tenth. On ordinary logits the two are the same function, and
their curves lie on each other; what sets them apart happens far from here (see gan_discriminator.py).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from program import BAD, OURS, PALE, THEIRS, Parser, finish, picture, progress, show_table, write_results

ARMS = 3
WIDTH = 32  # of the hidden layer
FALL = 0.1  # training ends where the loss is this share of what it was
AGREEMENT = 1e-4  # how far the two curves may be apart
COLOURS = ("#4c72b0", "#dd8452", "#55a868")


class Run(NamedTuple):
    """What one training run gave."""

    loss: str  # the name of the function
    losses: list[float]  # before each step
    scores: Callable[[Any], Any]  # of the trained model: points to logits, both NumPy arrays
    seconds: float


def spirals(points: int = 120) -> tuple[Any, Any]:
    """Points on three arms that wind around each other, and the arm of each: no line separates them."""
    rng = np.random.default_rng(0)
    turn = np.tile(np.linspace(0.1, 1, points), ARMS)
    arm = np.repeat(np.arange(ARMS), points)
    angle = 2 * np.pi * (arm / ARMS + 0.7 * turn) + rng.normal(0, 0.08, turn.shape)
    rows = 2 * turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return rows.astype(np.float32), arm


def options_of(documentation: str | None, name: str) -> Parser:
    """The options of all three examples."""
    parser = Parser(documentation, f"{name}.png")
    parser.add_argument("--steps", type=int, default=600, help="at most (default: 600)")
    return parser


def check(parser: Parser, options: argparse.Namespace, *modules: str) -> None:
    parser.check_number("steps", options.steps)
    parser.check_installed(*modules)
    parser.check_paths(options)


def fallen(losses: list[float]) -> bool:
    return losses[-1] <= FALL * losses[0]


def descend(step: Callable[[], float], most: int, advance: Callable[[], None]) -> list[float]:
    """The training loop: the loss before each step, until it has fallen far enough."""
    losses: list[float] = []
    while len(losses) < most and not (losses and fallen(losses)):
        losses.append(step())
        advance()
    return losses


def compare(
    options: argparse.Namespace,
    name: str,
    train: Callable[[str, Callable[[], None]], Run],
    losses: tuple[str, str],
) -> int:
    """Train with both losses, say what came out of it and draw it; the exit status."""
    runs = []
    with progress(**dict.fromkeys(losses, options.steps)) as part:
        for loss in losses:
            with part(loss) as advance:
                start = time.perf_counter()
                run = train(loss, advance)
                runs.append(run._replace(seconds=time.perf_counter() - start))
    ours, theirs = runs
    common = min(len(one.losses) for one in runs)
    difference = float(np.max(np.abs(np.subtract(ours.losses[:common], theirs.losses[:common]))))
    rows, labels = spirals()
    right = [float((one.scores(rows).argmax(axis=1) == labels).mean()) for one in runs]
    cells = [
        (
            one.loss,
            str(len(one.losses)),
            f"{one.losses[0]:.6f}",
            f"{one.losses[-1]:.6f}",
            f"{share:.4f}",
            f"{one.seconds:.2f}",
        )
        for one, share in zip(runs, right, strict=True)
    ]
    show_table(("loss",), ("steps", "first", "last", "accuracy", "seconds"), cells)
    print(f"Largest difference between the loss curves: {difference:.1e}.")
    results = {
        one.loss: {"losses": one.losses, "accuracy": share, "seconds": one.seconds}
        for one, share in zip(runs, right, strict=True)
    }
    write_results(options, {"largest_difference": difference, "runs": results})
    draw(options, name, runs, rows, labels)
    failures = [
        f"With {one.loss} the loss has not fallen to a tenth in {len(one.losses)} steps."
        for one in runs
        if not fallen(one.losses)
    ]
    if not difference <= AGREEMENT:
        failures.append(f"The curves disagree: at most {AGREEMENT:.0e} is allowed.")
    return finish(options, failures)


def draw(options: argparse.Namespace, name: str, runs: list[Run], rows: Any, labels: Any) -> None:
    with picture(options.output, 11, 5.2) as figure:
        left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
        curves, differences = left.subplots(2, 1, sharex=True, height_ratios=[1.6, 1])
        for one, colour, style in zip(runs, (OURS, THEIRS), ("-", (0, (3, 3))), strict=True):
            steps = np.arange(1, len(one.losses) + 1)
            curves.plot(steps, one.losses, color=colour, lw=2.4, ls=style, label=one.loss)
        curves.axhline(FALL * runs[0].losses[0], color=PALE, lw=1.5)
        curves.text(0, FALL * runs[0].losses[0] * 1.03, "a tenth", color="#8a97a3", va="bottom", fontsize=9)
        curves.set(yscale="log", ylabel="mean cross-entropy")
        curves.set_title(f"Loss in training, {name}")
        curves.legend(loc="upper right", fontsize=9)
        common = min(len(one.losses) for one in runs)
        gap = np.abs(np.subtract(runs[0].losses[:common], runs[1].losses[:common]))
        # Equal numbers have no place on a logarithmic axis.
        differences.plot(np.arange(1, common + 1), np.where(gap > 0, gap, np.nan), ".", color=OURS, ms=3.5)
        differences.axhline(AGREEMENT, color=BAD, lw=1.5)
        differences.text(0, AGREEMENT / 1.5, "allowed", color=BAD, va="top", fontsize=9)
        differences.set(yscale="log", ylim=(1e-9, 10 * AGREEMENT), xlabel="step")
        differences.set_title("Difference of the two, where there is one")
        draw_regions(right.subplots(), runs[0], rows, labels)


def draw_regions(axes: Any, run: Run, rows: Any, labels: Any) -> None:
    """What the model makes of the plane: the colour is the likeliest arm, its strength the probability."""
    import uniflogits as ul

    edge = np.linspace(-2.3, 2.3, 231)
    plane = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2).astype(np.float32)
    p = ul.softmax(run.scores(plane))
    white = np.ones(3)
    tints = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for code in COLOURS])
    strength = 0.55 * (p.max(axis=1, keepdims=True) - 1 / ARMS) / (1 - 1 / ARMS)
    image = white + strength * (tints[p.argmax(axis=1)] - white)
    axes.imshow(
        image.reshape(len(edge), len(edge), 3), origin="lower", extent=(edge[0], edge[-1]) * 2, aspect="equal"
    )
    for arm, colour in enumerate(COLOURS):
        axes.scatter(*rows[labels == arm].T, s=12, color=colour, edgecolor="white", linewidth=0.4)
    axes.set_title("What the trained model believes")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)

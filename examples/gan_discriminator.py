"""Train a small GAN on a 2-D mixture, then ask what its generator learns from a discriminator far ahead.

    python examples/gan_discriminator.py

A discriminator's logit says how sure it is that a point is real. Early in training it is often sure and right
about everything, and the generator then lives on what its loss makes of a logit of -40. The generator's
gradient there is measured with uniflogits' loss, with torch's own on logits, and with torch's own on
probabilities, against slopes known in closed form.
"""

from __future__ import annotations

import copy
import functools
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from program import OURS, PALE, THEIRS, Parser, finish, picture, progress, show_table, write_results

import uniflogits as ul

MODES, RADIUS, SPREAD = 6, 2.0, 0.15
NOISE, WIDTH, BATCH, RATE = 2, 64, 256, 1e-3
AHEAD = 40.0  # how sure the discriminator is that a drawn point is drawn
ALLOWED = 1e-4  # relative error of uniflogits' gradient: that of a float32 logit, not of the loss
FAR = 3 * SPREAD  # a drawn point is good if it is as near to a centre
LOSSES = ("uniflogits", "torch on logits", "torch on sigmoid")
COLOURS = dict(zip(LOSSES, (OURS, THEIRS, "#8172b3"), strict=True))


class Game(NamedTuple):
    """What a generator may minimise. A label says which kind of point is which, real ones being 1 or 0."""

    name: str
    sign: float  # +1: believe the labels of the other kind; -1: make the discriminator's own loss large
    logits: float  # the logit of "label 1" is this times that of "real"
    label: float

    def slope(self, real: Any) -> Any:
        """The loss' derivative by the logit of "real", in closed form."""
        x = self.logits * real
        by_x = -1 / (1 + np.exp(x)) if self.label else 1 / (1 + np.exp(-x))
        return self.sign * self.logits * by_x


GAMES = (
    Game("non-saturating, real=1", 1.0, 1.0, 1.0),
    Game("minimax, real=1", -1.0, 1.0, 0.0),
    Game("non-saturating, real=0", 1.0, -1.0, 0.0),
    Game("minimax, real=0", -1.0, -1.0, 1.0),
)


def losses() -> dict[str, Callable[[Any, Any], Any]]:
    """Of logits and labels, one loss per element."""
    from torch.nn import functional

    def on_sigmoid(logits: Any, labels: Any) -> Any:
        return functional.binary_cross_entropy(logits.sigmoid(), labels, reduction="none")

    on_logits = functools.partial(functional.binary_cross_entropy_with_logits, reduction="none")
    return dict(zip(LOSSES, (ul.sigmoid_binary_cross_entropy, on_logits, on_sigmoid), strict=True))


def network(inputs: int, outputs: int) -> Any:
    from torch import nn

    hidden = nn.Linear(inputs, WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2)
    return nn.Sequential(*hidden, nn.Linear(WIDTH, outputs))


def centres() -> Any:
    angle = 2 * np.pi * np.arange(MODES) / MODES
    return RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def real_points(count: int) -> Any:
    import torch

    places = torch.asarray(centres(), dtype=torch.float32)[torch.randint(MODES, (count,))]
    return places + SPREAD * torch.randn(count, 2)


def train(generator: Any, discriminator: Any, steps: int, advance: Callable[[], None], alone: bool) -> None:
    """The two in turn, by uniflogits' loss; `alone`: the discriminator only."""
    import torch

    optimizers = [
        torch.optim.Adam(one.parameters(), lr=RATE, betas=(0.5, 0.9)) for one in (generator, discriminator)
    ]

    def loss(points: Any, label: float) -> Any:
        logits = discriminator(points)
        return ul.sigmoid_binary_cross_entropy(logits, torch.full_like(logits, label), reduction="mean")

    for _ in range(steps):
        drawn = generator(torch.randn(BATCH, NOISE))
        optimizers[1].zero_grad()
        (loss(real_points(BATCH), 1.0) + loss(drawn.detach(), 0.0)).backward()
        optimizers[1].step()
        if not alone:
            optimizers[0].zero_grad()
            loss(drawn, 1.0).backward()  # also into the discriminator, whose gradients are cleared above
            optimizers[0].step()
        advance()


def run_ahead(discriminator: Any, points: Any) -> None:
    """Make the discriminator as sure as it is to be: the same opinions, on a larger scale."""
    import torch

    with torch.no_grad():
        factor = -AHEAD / discriminator(points).median()
        discriminator[-1].weight *= factor
        discriminator[-1].bias *= factor


def gradients(generator: Any, discriminator: Any, noise: Any) -> list[dict[str, Any]]:
    """The generator's gradient in every game, by every loss: its norm, and how far it is off."""
    import torch

    exact = [copy.deepcopy(one).double() for one in (generator, discriminator)]
    real = exact[1](exact[0](noise.double()))
    rows = []
    for game in GAMES:
        slope = torch.asarray(game.slope(real.detach().numpy())) / len(noise)
        right = _flat(torch.autograd.grad(real, list(exact[0].parameters()), slope, retain_graph=True))
        row: dict[str, Any] = {"game": game.name, "norm": float(right.norm()), "losses": {}}
        for name, loss in losses().items():
            logits = game.logits * discriminator(generator(noise))
            value = game.sign * loss(logits, torch.full_like(logits, game.label)).mean()
            found = _flat(torch.autograd.grad(value, list(generator.parameters()))).double()
            off = float((found - right).norm() / right.norm())
            row["losses"][name] = {"norm": float(found.norm()), "relative_error": off}
        rows.append(row)
    return rows


def _flat(parts: Any) -> Any:
    import torch

    return torch.cat([part.reshape(-1) for part in parts])


def quality(points: Any) -> tuple[int, float]:
    """How many centres of the mixture are drawn, and the share of points that lie near one."""
    distance = np.linalg.norm(points[:, None] - centres(), axis=2)
    near = distance.min(axis=1) < FAR
    counts = np.bincount(distance.argmin(axis=1)[near], minlength=MODES)
    return int((counts > 0.2 * len(points) / MODES).sum()), float(near.mean())


def main(arguments: list[str] | None = None) -> int:
    parser = Parser(__doc__, "gan_discriminator.png")
    parser.add_argument("--steps", type=int, default=2000, help="of the two in turn (default: 2000)")
    options = parser.parse_args(arguments)
    parser.check_number("steps", options.steps)
    parser.check_installed("torch")
    parser.check_paths(options)

    def load() -> None:
        import torch  # noqa: F401

    parser.load("torch", load)
    import torch

    torch.set_num_threads(1)  # networks as small as these lose by more
    torch.manual_seed(0)
    generator, discriminator = network(NOISE, 2), network(2, 1)
    beginner, critic = copy.deepcopy(generator), copy.deepcopy(discriminator)
    start = time.perf_counter()
    with progress(**{"GAN": options.steps, "run ahead": 200}) as part:
        with part("GAN") as advance:
            train(generator, discriminator, options.steps, advance, alone=False)
        torch.manual_seed(1)  # what follows is the same however long the GAN was trained
        with part("run ahead") as advance:
            train(beginner, critic, 200, advance, alone=True)
    seconds = time.perf_counter() - start
    noise = torch.randn(BATCH, NOISE)
    run_ahead(critic, beginner(noise))
    rows = gradients(beginner, critic, noise)
    with torch.no_grad():
        drawn = generator(torch.randn(2000, NOISE)).numpy()
        confidence = [float(critic(points).median()) for points in (beginner(noise), real_points(BATCH))]
    modes, near = quality(drawn)
    show(rows, modes, near, seconds, confidence)
    results = {"modes": modes, "near": near, "seconds": seconds, "logits": confidence, "gradients": rows}
    write_results(options, results)
    draw(options.output, drawn, real_points(1000).numpy(), discriminator)
    off = max(row["losses"]["uniflogits"]["relative_error"] for row in rows)
    wrong = f"uniflogits' gradient is off by {off:.1e}: at most {ALLOWED:.0e} is allowed."
    return finish(options, [] if off <= ALLOWED else [wrong])


def show(rows: list[Any], modes: int, near: float, seconds: float, confidence: list[float]) -> None:
    cells = []
    for row in rows:
        found = [f"{row['losses'][name]['norm']:.2e}" for name in LOSSES]
        cells.append((row["game"], f"{row['norm']:.2e}", *found))
    print(f"Trained in {seconds:.1f} s: {modes} of {MODES} modes drawn, {near:.1%} of the points near one.")
    print(
        f"A discriminator far ahead: median logit {confidence[0]:.1f} of drawn points, "
        f"{confidence[1]:.1f} of real ones."
    )
    print("The norm of the generator's gradient in float32, by uniflogits and by torch on logits or sigmoid:")
    show_table(("generator's loss",), ("exact", *(name.removeprefix("torch ") for name in LOSSES)), cells)
    off = max(row["losses"]["uniflogits"]["relative_error"] for row in rows)
    print(f"Largest relative error of uniflogits' gradient: {off:.1e}.")


def draw(path: Any, drawn: Any, real: Any, discriminator: Any) -> None:
    with picture(path, 11.5, 5.4) as figure:
        left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
        axes = left.subplots()
        axes.scatter(*real.T, s=6, color=PALE, label="real")
        axes.scatter(*drawn[:1000].T, s=6, color=OURS, alpha=0.5, linewidth=0, label="drawn")
        axes.set(aspect="equal", xticks=[], yticks=[], xlim=(-3, 3), ylim=(-3, 3))
        axes.grid(visible=False)
        axes.set_title("The mixture, and what the generator draws")
        axes.legend(loc="center", markerscale=2.5)
        for axes, game in zip(right.subplots(2, 1, sharex=True), (GAMES[0], GAMES[3]), strict=True):
            draw_slopes(axes, game)
        axes.set_xlabel("how far the discriminator is ahead, in logits")


def draw_slopes(axes: Any, game: Game) -> None:
    """The size of the loss' gradient by the logit, as each loss computes it in float32."""
    import torch

    ahead = torch.linspace(0, 60, 241)
    axes.plot(ahead, np.abs(game.slope(-ahead.double().numpy())), color=PALE, lw=7, label="exact")
    for (name, loss), style in zip(losses().items(), ("-", "--", ":"), strict=True):
        logits = (-game.logits * ahead).requires_grad_()
        (slope,) = torch.autograd.grad(loss(logits, torch.full_like(logits, game.label)).sum(), logits)
        size = slope.abs().numpy()
        # What has become 0 has no place on a logarithmic axis: its line ends there.
        axes.plot(ahead, np.where(size > 0, size, np.nan), style, color=COLOURS[name], lw=2, label=name)
    axes.axvline(AHEAD, color="#8a97a3", lw=1)
    axes.text(AHEAD - 0.5, 1e-25, f"{AHEAD:.0f} logits ahead", color="#8a97a3", fontsize=8.5, ha="right")
    axes.set(yscale="log", ylabel="|gradient|", ylim=(1e-28, 1e3))
    axes.set_title(f"Generator's loss: {game.name}")
    axes.legend(loc="lower left", fontsize=8.5)


if __name__ == "__main__":
    sys.exit(main())

"""The pictures of the guide, drawn from what the library computes each time the site is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from sphinx.application import Sphinx

import uniflogits as ul

matplotlib.use("svg")

ACCURATE, NAIVE, THIRD = "#1f6feb", "#d1570a", "#3a9a4f"
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 10,
    "legend.frameon": False,
    "svg.hashsalt": "uniflogits",  # the same picture is the same file
}


def animals() -> Figure:
    """Three raw scores and the probabilities that softmax makes of them."""
    names, logits = ["Cats", "Dogs", "Birds"], np.array([2.5, 1.0, -1.2])
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8))
    scores, probabilities = (left, logits, "logits", ".1f"), (right, ul.softmax(logits), "softmax", ".3f")
    for axes, values, title, form in (scores, probabilities):
        bars = axes.bar(names, values, color=[ACCURATE, NAIVE, THIRD], width=0.6)
        axes.bar_label(bars, labels=[format(value, form).replace("-", "−") for value in values], padding=2)
        axes.axhline(0, color="0.3", linewidth=0.8)
        axes.margins(y=0.15)
        axes.set_title(title)
        axes.grid(visible=False)
    return figure


def stability() -> Figure:
    """The loss of a right answer in float32, through the probability and from the logits."""
    lead = np.arange(0, 101, dtype=np.float32)
    logits = np.stack([lead, np.zeros_like(lead)], axis=-1)
    labels = np.zeros(lead.shape, dtype=int)
    through_probability = -np.log(ul.softmax(logits)[:, 0])
    from_logits = ul.softmax_cross_entropy_with_integer_labels(logits, labels)
    figure, axes = plt.subplots(figsize=(7, 3.2))
    axes.semilogy(lead, from_logits, color=ACCURATE, label="from the logits")
    some = through_probability > 0
    axes.semilogy(
        lead[some], through_probability[some], "o", color=NAIVE, markersize=4, label="−log(softmax)"
    )
    axes.axvspan(lead[~some].min(), lead.max(), color=NAIVE, alpha=0.08)
    axes.text(lead[~some].min() + 1, 1e-4, "−log(softmax) is 0 here", color=NAIVE)
    axes.set(xlabel="lead of the right class", ylabel="cross-entropy (float32)")
    axes.legend(loc="lower left")
    return figure


def gradient() -> Figure:
    """The push on a confidently wrong answer, in float32."""
    logit = np.linspace(-120, 20, 561, dtype=np.float32)
    one = np.ones_like(logit)
    _, pullback = ul.vjp(ul.sigmoid_binary_cross_entropy, logit, one)
    exact = pullback(one)[0]
    # The textbook way: the sigmoid as it is written on paper, and the chain rule through −log p.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        p = one / (one + np.exp(-logit))
        chain = -(one / p) * (p * (one - p))
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.plot(logit, exact, color=ACCURATE, linewidth=2.5, label="from the logit")
    axes.plot(logit, chain, "--", color=NAIVE, label="through the probability")
    gone = logit[~np.isfinite(chain)]
    axes.axvspan(gone.min(), gone.max(), color=NAIVE, alpha=0.08)
    axes.text(gone.min() + 2, -0.5, "NaN", color=NAIVE)
    axes.set(xlabel="logit; the right label is 1", ylabel="gradient (float32)", ylim=(-1.1, 0.15))
    axes.legend(loc="upper left")
    return figure


def gan() -> Figure:
    """What a generator learns from the discriminator's logit, by each of its two losses."""
    logit = np.linspace(-8, 8, 321)
    one = np.ones_like(logit)
    believed, fooled = one, np.zeros_like(logit)
    _, pull = ul.vjp(ul.sigmoid_binary_cross_entropy, logit, believed)
    _, push = ul.vjp(ul.sigmoid_binary_cross_entropy, logit, fooled)
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.plot(logit, pull(one)[0], color=ACCURATE, label="minimise −log D: softplus(−x)")
    axes.plot(logit, -push(one)[0], color=NAIVE, label="minimise log(1 − D): −softplus(x)")
    axes.set(xlabel="logit of the discriminator for a drawn picture", ylabel="gradient")
    axes.legend(loc="center left")
    return figure


def draw(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        for picture in (animals, stability, gradient, gan):
            figure = picture()
            figure.tight_layout()
            figure.savefig(folder / f"{picture.__name__}.svg", metadata={"Date": None})
            plt.close(figure)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True}

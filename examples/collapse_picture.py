"""The picture of softmax_collapse.py, drawn from its results: the site draws the ones that it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

INK, GRID, WRONG, RIGHT, EXACT = "#22303c", "#e6ebef", "#c0392b", "#1f6feb", "#9fb0bd"


def figure_of(results: dict[str, Any]) -> Figure:
    """Loss, gradient norm and largest logit of the trainings, and the distance of losses from float64's."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    (loss, norm), (logit, apart) = figure.subplots(2, 2)
    steps = np.asarray(results["shown"])
    for name, run in results["runs"].items():
        style = _style(name, run["dtype"])
        for axes, quantity in ((loss, "loss"), (norm, "gradient norm"), (logit, "largest logit")):
            # 0 has no place on a logarithmic axis.
            numbers = np.asarray(run[quantity])
            axes.plot(steps, np.where(numbers > 0, numbers, np.nan), label=name, **style)
        if run["dtype"] == "float32":
            distance = np.asarray(run["distance"])
            apart.plot(steps, np.where(distance > 0, distance, np.nan), label=name, **style)
            _mark_zeros(loss, steps, np.asarray(run["loss"]))
    apart.axhline(results["agreement"], color=INK, lw=1)
    apart.text(steps[0], results["agreement"] * 1.3, f"{results['agreement']:.0%}", color=INK)
    titles = ("Loss in training", "Gradient norm", "Largest logit", "Distance of the loss from float64's")
    for axes, title in zip((loss, norm, logit, apart), titles, strict=True):
        axes.set_yscale("log")
        axes.set_title(title, loc="left", color=INK, fontweight="bold", fontsize=11)
        axes.grid(color=GRID)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in (logit, apart):
        axes.set_xlabel("step of Adam")
    apart.set_ylabel("relative")
    loss.legend(frameon=False)
    return figure


def _style(name: str, dtype: str) -> dict[str, Any]:
    """What is right lies on the wide band of float64."""
    if dtype == "float64":
        return {"color": EXACT, "lw": 6, "solid_capstyle": "round"}
    return {"color": RIGHT if name.startswith("uniflogits") else WRONG, "lw": 1.6}


def _mark_zeros(axes: Any, steps: Any, losses: Any) -> None:
    zeros = steps[losses == 0]
    if zeros.size:
        axes.plot(zeros, np.full(zeros.shape, 0.03), "|", color=WRONG, transform=axes.get_xaxis_transform())
        axes.text(
            zeros[0],
            0.06,
            f"exactly 0 in {zeros.size} of {steps.size} points",
            color=WRONG,
            transform=axes.get_xaxis_transform(),
            fontsize=9,
            ha="right",
        )

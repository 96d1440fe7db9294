"""The picture of train_digits.py: how training went, and how far its probabilities can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from program import BAD, GOOD, INK, PALE, picture

COLOURS = {"numpy": "#4c72b0", "jax": "#8172b3", "torch": "#dd5144", "tensorflow": "#e8a33d"}
BINS = 10


def draw(runs: list[Any], digits: Any, allowed: float | None, path: Path) -> None:
    """Write the picture; `allowed` is the difference between loss curves that would be too large."""
    with picture(path, 13, 7) as figure:
        left, middle, right = figure.subfigures(1, 3, width_ratios=[1.15, 1, 1])
        loss, difference = left.subplots(2, 1, sharex=True, height_ratios=[1.4, 1])
        draw_losses(loss, runs)
        draw_differences(difference, runs, allowed)
        first = runs[0]  # the others differ in the last digits only
        reliability, counts = middle.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        draw_reliability(reliability, counts, first, digits.test_labels)
        draw_scans(right, first, digits)


def draw_losses(axes: Any, runs: list[Any]) -> None:
    """Curves that lie on each other, each dashed so that the ones below show through its gaps."""
    for place, one in enumerate(runs):
        dashes = (0, (4, 4 * (len(runs) - 1))) if len(runs) > 1 else "-"
        dashes = (4 * place, dashes[1]) if len(runs) > 1 else dashes
        steps = np.arange(1, len(one.losses) + 1)
        axes.plot(steps, one.losses, color=COLOURS[one.backend], lw=2.6, ls=dashes)
        axes.plot([], [], color=COLOURS[one.backend], lw=2.6, label=f"{one.backend} ({one.gradient})")
    axes.set_yscale("log")
    axes.set_title("Loss in training")
    axes.set_ylabel("mean cross-entropy")
    axes.legend()


def draw_differences(axes: Any, runs: list[Any], allowed: float | None) -> None:
    first, *others = runs
    reference = np.asarray(first.losses)
    axes.set_title(f"Difference from {first.backend}, relative")
    axes.set_xlabel("step of gradient descent")
    if not others:
        axes.set_axis_off()
        axes.text(0, 0.5, "one library: nothing to compare", transform=axes.transAxes)
        return
    for one in others:
        difference = np.abs(np.asarray(one.losses) - reference) / np.abs(reference)
        steps = np.arange(1, len(difference) + 1)
        # Equal numbers have no place on a logarithmic axis.
        shown = np.where(difference > 0, difference, np.nan)
        axes.plot(steps, shown, ".", color=COLOURS[one.backend], ms=3.5)
    axes.set_yscale("log")
    if allowed:
        axes.axhline(allowed, color=BAD, lw=1.5)
        axes.text(0, allowed / 2, "allowed", color=BAD, va="top", fontsize=9)
        axes.set_ylim(1e-17, 10 * allowed)


def draw_reliability(axes: Any, counts: Any, one: Any, labels: Any) -> None:
    """Of the scans that got a probability of about c, a share of about c should be right."""
    confidence = one.probabilities.max(axis=1).astype(float)
    right = one.probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    size = np.bincount(bins, minlength=BINS)
    there = size > 0
    share = np.bincount(bins, right, BINS)[there] / size[there]
    mean = np.bincount(bins, confidence, BINS)[there] / size[there]
    low, high = wilson(share, size[there])
    axes.plot([0, 1], [0, 1], color=PALE, lw=1.5, zorder=1)
    axes.text(
        0.05, 0.075, "perfectly calibrated", color="#8a97a3", rotation=45, rotation_mode="anchor", fontsize=9
    )
    axes.vlines(mean, low, high, color=PALE, lw=5, zorder=2, label="95 % interval")
    axes.plot(mean, share, "o", color=INK, ms=6, zorder=3, label="test scans")
    error = float((size[there] * np.abs(share - mean)).sum() / size.sum())
    axes.set_title(f"Reliability on {len(labels)} test scans")
    axes.set_ylabel("share that is right")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend(loc="upper left", fontsize=9)
    numbers = {"accuracy": one.accuracy, "mean confidence": confidence.mean(), "calibration error": error}
    text = "\n".join(f"{name} {percent(number, 1)}" for name, number in numbers.items())
    axes.text(0.98, 0.05, text, transform=axes.transAxes, ha="right", va="bottom", linespacing=1.5)
    counts.bar((np.arange(BINS) + 0.5) / BINS, size, width=0.9 / BINS, color=PALE)
    for place, number in enumerate(size):
        if number:
            counts.text((place + 0.5) / BINS, number, str(number), ha="center", va="bottom", fontsize=8)
    counts.set_ylabel("scans")
    counts.set_xlabel("confidence: the largest probability")
    counts.margins(y=0.18)
    counts.grid(visible=False)


def percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def wilson(share: Any, size: Any, z: float = 1.96) -> tuple[Any, Any]:
    """The interval of a proportion, sensible for shares of 1 and for few scans too."""
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return centre - half, centre + half


def draw_scans(figure: Any, one: Any, digits: Any) -> None:
    """The scans with the largest loss: first those that are misread, surest first."""
    labels = digits.test_labels
    probability_of_label = one.probabilities[np.arange(len(labels)), labels]
    worst = np.argsort(probability_of_label, kind="stable")[:16]
    figure.suptitle(
        "The 16 test scans with the largest loss", x=0.02, ha="left", fontsize=11, fontweight="bold"
    )
    for axes, place in zip(figure.subplots(4, 4).flat, worst, strict=True):
        guess = int(one.probabilities[place].argmax())
        axes.imshow(digits.test_scans[place], cmap="gray_r", interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set_visible(True)
        colour = GOOD if guess == labels[place] else BAD
        axes.set_title(f"{labels[place]} read as {guess}", fontsize=8.5, color=colour, loc="center", pad=3)
        axes.set_xlabel(percent(one.probabilities[place, guess]), fontsize=8.5, color=colour, labelpad=2)

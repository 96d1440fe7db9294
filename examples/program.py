"""What the examples have in common: options, errors of one line, progress, tables, pictures, results."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

INK, PALE, GOOD, BAD = "#22303c", "#c9d3dc", "#2f7d5b", "#c0392b"
OURS, THEIRS = "#1f6feb", "#d1570a"
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#8a97a3",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "grid.color": "#e6ebef",
    "axes.axisbelow": True,
    "legend.frameon": False,
}
# What pip is told to install for a module: extras of uniflogits.
EXTRAS = {
    "jax": "jax",
    "torch": "torch",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "equinox": "examples",
}


class Parser(argparse.ArgumentParser):
    """Options of an example; errors in one line, without the usage above them."""

    def __init__(self, documentation: str | None, picture: str) -> None:
        super().__init__(description=(documentation or "").partition("\n")[0])
        self.add_argument(
            "--output", type=Path, default=Path("build", picture), metavar="PATH", help="of the picture"
        )
        self.add_argument("--json", type=Path, metavar="PATH", help="write the results there as well")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{Path(sys.argv[0]).name}: {message}\n")

    def check_number(self, option: str, value: int, least: int = 1) -> None:
        if value < least:
            self.error(f"--{option} must be at least {least}, got {value}")

    def check_installed(self, *modules: str) -> None:
        """Also of what every example needs."""
        for module in (*modules, "sklearn", "matplotlib", "rich"):
            if importlib.util.find_spec(module):
                continue
            brings = "it" if module in EXTRAS else "what this example needs"
            self.error(
                f"{module} is not installed; "
                f'pip install "uniflogits[{EXTRAS.get(module, "demo")}]" brings {brings}'
            )

    def check_paths(self, options: argparse.Namespace) -> None:
        """That picture and results can be written, before anything is computed for them."""
        for option in ("output", "json"):
            if getattr(options, option) is not None:
                self._check_writable(option, getattr(options, option))
        from matplotlib.figure import Figure

        formats = Figure().canvas.get_supported_filetypes()
        if options.output.suffix.removeprefix(".").lower() not in formats:
            self.error(
                f"cannot write {options.output}: end its name in .png or another of {', '.join(formats)}"
            )

    def _check_writable(self, option: str, path: Path) -> None:
        existed = path.exists()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("ab").close()
        except OSError as error:
            no_folder = isinstance(error, FileExistsError | NotADirectoryError)
            reason = "part of it is a file" if no_folder else error.strerror
            self.error(f"cannot write {path}: {reason}; choose another path with --{option}")
        if not existed:
            path.unlink()

    def load(self, name: str, load: Callable[[], Any]) -> Any:
        """Import a library, which takes a while and may fail for reasons of its own."""
        with console().status(f"importing {name}"):
            try:
                return load()
            except Exception as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                self.error(f"{name} cannot be imported: {reason}; python -m uniflogits says more")


def console() -> Any:
    """Progress goes to stderr: stdout is for results."""
    from rich.console import Console

    return Console(stderr=True)


@contextlib.contextmanager
def progress(**totals: int) -> Iterator[Callable[[str], contextlib.AbstractContextManager[Any]]]:
    """A bar for each part of the work, all shown from the beginning.

    `with part(name) as advance` runs the clock of one; a part may end before its total.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console()) as bars:
        tasks = {name: bars.add_task(name, total=total, start=False) for name, total in totals.items()}

        @contextlib.contextmanager
        def part(name: str) -> Iterator[Callable[[], None]]:
            task = tasks[name]
            bars.start_task(task)
            yield lambda: bars.advance(task)
            bars.update(task, total=next(one.completed for one in bars.tasks if one.id == task))

        yield part


def show_table(words: tuple[str, ...], numbers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns of words, then columns of numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD)
    for title in words:
        table.add_column(title)
    for title in numbers:
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@contextlib.contextmanager
def picture(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure to draw into, written when done."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(width, height), dpi=120, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        yield figure
        figure.savefig(path)
        plt.close(figure)


def write_results(options: argparse.Namespace, results: dict[str, Any]) -> None:
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def finish(options: argparse.Namespace, failures: list[str]) -> int:
    """Where the picture is, and what did not hold; the exit status."""
    print(f"The picture is in {options.output}.")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0

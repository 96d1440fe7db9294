"""Every example of the README and of the guide runs, and prints what the page says it prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# A block of Python and, where it prints anything, the block of text right after it.
EXAMPLE = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,}) *\{?(?:code-block\} )?(?:python|py|pycon)\b", re.MULTILINE)
IMPORT = re.compile(r"^import (jax|torch|tensorflow|keras)\b", re.MULTILINE)


class Example(NamedTuple):
    page: Path
    line: int
    code: str
    output: str

    @property
    def id(self) -> str:
        return f"{self.page.stem}-{self.line}"

    @property
    def backend(self) -> str:
        found = IMPORT.search(self.code)
        name = found.group(1) if found else "numpy"
        return "jax" if name == "keras" else name  # the backend that examples choose


def examples_of(page: Path) -> list[Example]:
    text = page.read_text(encoding="utf-8")
    return [
        Example(page, text.count("\n", 0, match.start()) + 1, match["code"], match["output"] or "")
        for match in EXAMPLE.finditer(text)
    ]


EXAMPLES = [example for page in PAGES for example in examples_of(page)]


def marks(example: Example) -> list[pytest.MarkDecorator]:
    """Frameworks take seconds to import, so the quick tier is content with the README's examples of them."""
    quick = example.page == PAGES[0] or example.backend == "numpy"
    return [pytest.mark.backend(example.backend), *([] if quick else [pytest.mark.slow])]


def run(example: Example) -> subprocess.CompletedProcess[str]:
    # TensorFlow writes its greeting to stderr, which is only shown if the example fails.
    environment = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
    }
    return subprocess.run(
        [sys.executable, "-c", example.code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=300,
    )


@pytest.mark.parametrize(
    "example",
    [pytest.param(example, id=example.id, marks=marks(example)) for example in EXAMPLES],
)
def test_example(example: Example) -> None:
    done = run(example)
    assert done.returncode == 0, done.stderr
    assert done.stdout == example.output


def test_every_block_of_python_is_an_example() -> None:
    """A fence that the pattern misses (indented, or with other words after it) would never run."""
    for page in PAGES:
        fences = FENCE.findall(page.read_text(encoding="utf-8"))
        assert len(fences) == len(examples_of(page)), page


@pytest.mark.parametrize("backend", ["numpy", "jax", "torch", "tensorflow"])
def test_readme_shows_every_library(backend: str) -> None:
    shown = [
        example for example in EXAMPLES if example.page.name == "README.md" and example.backend == backend
    ]
    assert any("2.5, 1.0, -1.2" in example.code and "softmax(" in example.code for example in shown)

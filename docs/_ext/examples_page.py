"""Runs the examples for the page that shows them: what each prints, and its picture.

They run when the site is built. Their output is kept in build/examples until a program, the library or a
version changes. An example whose packages are not installed is left out with a word.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DOCS = Path(__file__).parent.parent
ROOT = DOCS.parent
KEPT = ROOT / "build" / "examples"
# Program, its picture, its options, and the packages whose versions count.
PROGRAMS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "train_digits": ("digits", ("--backends", "numpy", "jax"), ("jax", "scikit-learn")),
    "torch_module": ("torch_module", (), ("torch",)),
    "equinox_model": ("equinox_model", (), ("jax", "equinox")),
    "keras_model": ("keras_model", ("--backend", "tensorflow"), ("keras",)),
    "gan_discriminator": ("gan_discriminator", (), ("torch",)),
    "logistic_regression": ("logistic_regression", (), ("scikit-learn",)),
}


def missing(packages: tuple[str, ...]) -> list[str]:
    found = []
    for package in (*packages, "scikit-learn", "rich"):
        try:
            importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found.append(package)
    return found


def key(program: str, packages: tuple[str, ...]) -> str:
    versions = [importlib.metadata.version(one) for one in ("numpy", "matplotlib", *packages)]
    digest = hashlib.sha256(repr((PROGRAMS[program], versions)).encode())
    shared = [ROOT / "examples" / f"{name}.py" for name in (program, "program", "spirals", "digits_picture")]
    for path in (*shared, *sorted((ROOT / "src" / "uniflogits").rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def run(program: str) -> Path:
    """The folder with the output and the picture of a program."""
    _, options, packages = PROGRAMS[program]
    folder = KEPT / f"{program}-{key(program, packages)}"
    output = folder / "output.txt"
    if output.exists():
        return folder
    for old in KEPT.glob(f"{program}-*"):
        shutil.rmtree(old)
    folder.mkdir(parents=True)
    paths = filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")])
    environment = {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "80", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{program}.py", *options],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        timeout=600,
    )
    if done.returncode:
        raise ExtensionError(f"examples/{program}.py failed: {done.stderr}")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    output.write_text("\n".join(lines).strip("\n") + "\n", encoding="utf-8")
    return folder


def shown(program: str, folder: Path) -> str:
    """What the page includes of a program."""
    name, options, packages = PROGRAMS[program]
    absent = missing(packages)
    if absent:
        return f"Left out where this site was built: {', '.join(absent)} was not installed.\n"
    made = run(program)
    shutil.copyfile(made / "build" / f"{name}.png", folder / f"{program}.png")
    command = " ".join(["python", f"examples/{program}.py", *options])
    text = (made / "output.txt").read_text(encoding="utf-8")
    picture = f"![The picture that {program}.py draws](/pictures/examples/{program}.png)"
    return f"```sh\n{command}\n```\n```text\n{text}```\n\n{picture}\n"


def write(app: Sphinx) -> None:
    folder = DOCS / "pictures" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each waits for a process
        texts = list(pool.map(lambda program: shown(program, folder), PROGRAMS))
    for program, text in zip(PROGRAMS, texts, strict=True):
        path = folder / f"{program}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}

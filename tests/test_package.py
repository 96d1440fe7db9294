"""The wheel, installed where nothing but its own requirements is."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

import uniflogits

ROOT = Path(__file__).parent.parent
FRAMEWORKS = {"array_api_strict", "cupy", "dask", "jax", "jaxlib", "keras", "ml_dtypes", "pandas", "scipy"}
FRAMEWORKS |= {"tensorflow", "torch"}

pytestmark = pytest.mark.backend("numpy")


def run(*command: str | Path, **options: str) -> str:
    """The output of a command that has to succeed, away from the checkout and its settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=environment | options,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # The build backend is part of the test environment: building needs no network.
    run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The Python of a new environment: the wheel, and what it requires in the versions tested here."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pins = [f"{name}=={version(name)}" for name in ("numpy", "array-api-compat")]
    run(python, "-m", "pip", "--disable-pip-version-check", "install", wheel, *pins)
    yield python


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = f"uniflogits-{uniflogits.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"uniflogits", metadata}
    sources = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "uniflogits").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in names if name.startswith("uniflogits/")} == sources
    assert "uniflogits/py.typed" in names
    assert f"{metadata}/licenses/LICENSE" in names


@pytest.mark.slow
def test_only_its_requirements_are_installed(empty: Path) -> None:
    listed = json.loads(run(empty, "-m", "pip", "--disable-pip-version-check", "list", "--format", "json"))
    assert {entry["name"] for entry in listed} - {"pip", "setuptools"} == {
        "uniflogits",
        "numpy",
        "array-api-compat",
    }


def test_requires_numpy_and_array_api_compat_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split(r"[<>=!~ ]", line)[0] for line in project["dependencies"]} == {
        "numpy",
        "array-api-compat",
    }
    assert project["requires-python"] == ">=3.11"


@pytest.mark.slow
def test_works_on_numpy_alone(empty: Path) -> None:
    code = "import uniflogits as ul; print(ul.__file__); print(ul.softmax([2.5, 1.0, -1.2]).round(3))"
    place, result = run(empty, "-c", code).splitlines()
    assert Path(place).is_relative_to(empty.parent.parent)
    assert result == "[0.801 0.179 0.02 ]"


@pytest.mark.slow
def test_self_check_passes_on_numpy_alone(empty: Path) -> None:
    """`run` fails for an exit status other than 0."""
    report = json.loads(run(empty, "-m", "uniflogits", "--json"))
    assert report["ok"] is True
    assert report["uniflogits"] == uniflogits.__version__
    usable = {name for name, found in report["libraries"].items() if found["status"] == "usable"}
    assert usable == {"numpy"}


@pytest.mark.slow
def test_oldest_array_api_compat(tmp_path: Path) -> None:
    """What it lacks beside the one tested here would be missed on torch first: it wraps all of torch."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (oldest,) = (line for line in project["dependencies"] if line.startswith("array-api-compat"))
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--target", tmp_path, oldest.replace(">=", "=="))
    code = "import array_api_compat; print(array_api_compat.__version__)"
    found = run(sys.executable, "-c", code, PYTHONPATH=str(tmp_path)).strip()
    assert found.startswith(oldest.split(">=")[1])
    gradients = ROOT / "tests/test_gradient.py"
    run(sys.executable, "-m", "pytest", "--quick", "--backend", "torch", gradients, PYTHONPATH=str(tmp_path))


@pytest.mark.slow
def test_version_has_one_source(empty: Path) -> None:
    installed = (
        "import importlib.metadata as m, uniflogits as ul; print(m.version('uniflogits'), ul.__version__)"
    )
    assert run(empty, "-c", installed).split() == [uniflogits.__version__] * 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]


def test_changelog_knows_the_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == uniflogits.__version__


def test_import_loads_no_framework() -> None:
    """Here they are all installed, so nothing but the import itself keeps them out."""
    code = "import sys, uniflogits; print(*{name.split('.')[0] for name in sys.modules})"
    assert not set(run(sys.executable, "-c", code).split()) & FRAMEWORKS


@pytest.mark.slow
def test_import_is_quick(empty: Path) -> None:
    """Under 0.1 s beyond NumPy, in processor time: a busy machine hardly changes it."""
    code = "import time, numpy; t = time.process_time(); import uniflogits; print(time.process_time() - t)"
    run(empty, "-c", code)  # writes the bytecode, as an installation does
    seconds = statistics.median(float(run(empty, "-c", code)) for _ in range(5))
    assert seconds < 0.1, f"{seconds:.3f} s"

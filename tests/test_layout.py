"""The shape of the repository: one source file and one spec per operation, frameworks in backends only."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import uniflogits as ul
from uniflogits._core.operation import OPERATIONS

from . import laws
from .harness import Cell, spec_of
from .tolerances import TOLERANCES

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "uniflogits"
SOURCES = sorted(PACKAGE.rglob("*.py"))
FRAMEWORKS = {
    "jax",
    "jaxlib",
    "torch",
    "tensorflow",
    "keras",
    "dask",
    "cupy",
    "array_api_strict",
    "ml_dtypes",
}
LONGEST = 300
names = pytest.mark.parametrize("name", list(OPERATIONS))


def _tool(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _all_samples(name: str) -> list[Any]:
    return spec_of(name).samples(np.random.default_rng(0))


@names
def test_every_operation_has_a_spec(name: str) -> None:
    spec = spec_of(name)
    assert spec.name == name
    ids = [sample.id for sample in _all_samples(name)]
    assert len(ids) == len(set(ids))
    for known in ("edges", "bad_inputs"):
        found = [one.id for one in getattr(spec, known)]
        assert found and len(found) == len(set(found)), known
    assert spec.laws and all(callable(getattr(laws, law)) for law in spec.laws)


def test_every_spec_has_an_operation() -> None:
    files = {path.stem for path in (ROOT / "tests" / "specs").glob("[a-z]*.py")} - {"base"}
    assert files == set(OPERATIONS)


@names
def test_samples_touch_every_option(name: str) -> None:
    """Each option is given with a value other than its default, on its own or among others."""
    operation = OPERATIONS[name]
    given: set[str] = set()
    for sample in _all_samples(name):
        assert set(sample.arrays) <= set(operation.roles), sample.id
        given |= set(sample.arrays)
        given |= {option for option, value in sample.options.items() if value != operation.options[option]}
    assert given == set(operation.arrays) | set(operation.options)


@names
def test_samples_use_every_dtype(name: str) -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        assert Cell("value", name, "numpy", dtype).samples(), dtype


@names
def test_bad_inputs_cover_every_option(name: str) -> None:
    """Each array and each option has a call that is refused because of it."""
    operation = OPERATIONS[name]
    refused = {option for bad in spec_of(name).bad_inputs for option in bad.options}
    assert set(operation.options) <= refused, set(operation.options) - refused
    for bad in spec_of(name).bad_inputs:
        assert bad.message.startswith(f"{name}: "), bad.id
        assert bad.error in (TypeError, ValueError), bad.id
    texts = " ".join(bad.message for bad in spec_of(name).bad_inputs)
    for array in operation.arrays:
        assert f"{name}: {array} " in texts, array


def test_every_operation_has_a_tolerance() -> None:
    assert set(TOLERANCES) == set(OPERATIONS)
    for name, row in TOLERANCES.items():
        for bound in (row.value, row.gradient, row.second):
            assert 0 < bound <= 20, name


def test_exports_are_fresh() -> None:
    assert _tool("write_exports").stale() == []


@names
def test_operations_are_public_where_they_belong(name: str) -> None:
    operation = OPERATIONS[name]
    assert getattr(ul, name) is operation.function
    family = importlib.import_module(f"uniflogits.{operation.family}")
    assert getattr(family, name) is operation.function
    assert operation.function.__module__ == "uniflogits"
    for parameter in inspect.signature(operation.function).parameters.values():
        assert parameter.kind in (parameter.POSITIONAL_ONLY, parameter.KEYWORD_ONLY), parameter
    for section in ("Parameters", "Returns", "Raises", "Examples", "*Gradient*", "*Special values*"):
        assert section in (operation.function.__doc__ or ""), section


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]
            if node.module == "array_api_compat":
                yield from (alias.name for alias in node.names)


def _rooms(*folders: str) -> list[Path]:
    return [path for path in SOURCES if path.relative_to(PACKAGE).parts[0] in folders]


def test_frameworks_are_imported_in_backends_only() -> None:
    for path in SOURCES:
        if path.relative_to(PACKAGE).parts[0] not in ("_backends", "_diagnostics"):
            assert not FRAMEWORKS & set(_imported(path)), path


def test_formulas_mention_no_backend() -> None:
    """In families and shared formulas no name of a library occurs outside of documentation."""
    families = {operation.family for operation in OPERATIONS.values()}
    for path in _rooms("_math", *families):
        assert not {"numpy", *FRAMEWORKS} & set(_imported(path)), path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = []
            if isinstance(node, ast.Name):
                words = [node.id]
            elif isinstance(node, ast.Attribute):
                words = [node.attr]
            elif isinstance(node, ast.alias):
                words = [*node.name.split("."), node.asname or ""]
            for word in words:
                pieces = set(word.lower().split("_"))
                assert not {"backend", "backends", "numpy", *FRAMEWORKS} & pieces, f"{path}:{word}"

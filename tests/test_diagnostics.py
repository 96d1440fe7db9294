"""`python -m uniflogits`: right results pass, wrong ones and broken libraries are reported and fail."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import uniflogits
from uniflogits import _diagnostics as diagnostics
from uniflogits._core.operation import OPERATIONS
from uniflogits._diagnostics import libraries
from uniflogits._diagnostics.selfcheck import Exact, errors_in_ulp, make_array, read_exact, ulp

ROOT = Path(__file__).parent.parent
PACKAGE = Path(uniflogits.__file__).parent
REFERENCES = Path("_diagnostics", "references.json")

on_numpy = pytest.mark.backend("numpy")


def run(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `path` is searched for modules first."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    if path is not None:
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(path), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "uniflogits", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        cwd=path or ROOT,
        timeout=600,
    )


@pytest.mark.parametrize(
    ("name", "library"),
    [
        pytest.param(name, library, marks=pytest.mark.backend(name))
        for name, library in {
            "numpy": "numpy",
            "jax": "jax",
            "torch": "torch",
            "tensorflow": "tensorflow",
            "strict": "array-api-strict",
            "dask": "dask",
        }.items()
    ],
    ids=lambda value: value,
)
def test_self_check_passes(name: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_ENABLE_X64", "1")  # or JAX has no float64 to check
    done = run("--json", "--backends", library)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    found = report["libraries"][library]
    assert found["status"] == "usable"
    assert found["off"] == []
    assert list(found["operations"]) == list(OPERATIONS)
    for operation, dtypes in found["operations"].items():
        assert set(dtypes) == {"float32", "float64"}
        for quantities in dtypes.values():
            assert set(quantities) == {"value", "gradient"}, operation
            for entry in quantities.values():
                assert entry["ok"] is True
                assert 0 <= entry["worst"] <= entry["allowed"]
    # Nothing is right to the last digit everywhere: all zeros would mean that nothing was compared.
    assert max(
        entry["worst"] for dtypes in found["operations"].values() for entry in dtypes["float32"].values()
    )


@on_numpy
def test_report_names_versions() -> None:
    report = json.loads(run("--json", "--backends", "numpy").stdout)
    assert report["uniflogits"] == uniflogits.__version__
    assert report["python"] == sys.version.split()[0]
    assert report["platform"]
    assert report["versions"]["numpy"] == report["libraries"]["numpy"]["version"] == np.__version__
    assert report["ok"] is True


@on_numpy
def test_text_is_an_aligned_table() -> None:
    done = run("--backends", "numpy")
    assert done.returncode == 0
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"uniflogits {uniflogits.__version__}, Python ")
    assert lines[-1] == "Everything installed works."
    start = next(i for i, line in enumerate(lines) if line.startswith("worst error in ulp"))
    table = lines[start : start + 1 + 2 * len(OPERATIONS)]
    assert len({len(line) for line in table}) == 1
    assert [line.split()[0] for line in table[1::2]] == list(OPERATIONS)
    for line in table[1:]:
        quantity, allowed, worst = line.split()[-3:]
        assert quantity in ("value", "gradient")
        assert float(worst) <= float(allowed)


@on_numpy
def test_references_are_made_by_the_script() -> None:
    path = ROOT / "tools" / "make_references.py"
    spec = importlib.util.spec_from_file_location("make_references", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    committed = (PACKAGE / REFERENCES).read_text(encoding="utf-8")
    assert script.make() == committed, "run tools/make_references.py"
    assert len(committed) < 400_000
    assert list(json.loads(committed)["operations"]) == list(OPERATIONS)


@pytest.mark.backend("torch")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('no\\nlibtorch.so')", "cannot be imported: ImportError: no libtorch.so"),
        ("raise SystemExit('no licence')", "cannot be imported: SystemExit: no licence"),
        ("import os; os._exit(3)", "ended with exit status 3 while importing it"),
        pytest.param(
            "import os; os.abort()",
            "was ended by SIGABRT while importing it",
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows has no signals"),
        ),
        ("import time; time.sleep(600)", "did not answer within 10 s"),
        ("print('no JSON')", "cannot be imported: "),
    ],
    ids=["error", "exit", "death", "crash", "hang", "empty"],
)
@pytest.mark.slow
def test_broken_library_is_reported_and_not_fatal(tmp_path: Path, code: str, reason: str) -> None:
    (tmp_path / "torch.py").write_text(code, encoding="utf-8")
    limit = ("--timeout", "10") if "sleep" in code else ()
    done = run("--json", "--backends", "torch", "numpy", *limit, path=tmp_path)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["libraries"]["torch"]["status"] == "broken"
    assert report["libraries"]["torch"]["reason"].startswith(reason)
    if not limit:  # a slow machine may need longer than that for NumPy
        assert report["libraries"]["numpy"]["status"] == "usable"


def copied(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """A copy of the package whose references of softmax are changed."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "uniflogits", ignore=ignored)
    path = folder / "uniflogits" / REFERENCES
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content["operations"])
    path.write_text(json.dumps(content), encoding="utf-8")


def nudge(row: str) -> str:
    """The first number of a row, a thousandth larger."""
    first, _, rest = row.partition(" ")
    return f"{(float.fromhex(first) * 1.001).hex()} {rest}"


def wrong_value(operations: dict[str, Any]) -> None:
    rows = operations["softmax"]["value"]["exact"]
    rows[0] = nudge(rows[0])


def wrong_gradient(operations: dict[str, Any]) -> None:
    rows = operations["softmax"]["gradient"]["logits"]["exact"]
    rows[0] = nudge(rows[0])


def wrong_shape(operations: dict[str, Any]) -> None:
    operations["softmax"]["value"]["exact"].pop()


def wrong_infinity(operations: dict[str, Any]) -> None:
    rows = operations["softmax"]["value"]["exact"]
    rows[2] = "inf " + rows[2].partition(" ")[2]


def no_reference(operations: dict[str, Any]) -> None:
    del operations["softmax"]


def bad_call(operations: dict[str, Any]) -> None:
    operations["softmax"]["options"] = {"axis": 7}


@on_numpy
@pytest.mark.parametrize(
    ("change", "quantity", "text"),
    [
        (wrong_value, "value", "value at (0, 0): "),
        (wrong_gradient, "gradient", "gradient by logits at (0, 0): "),
        (wrong_shape, "value", "value: float32 (12, 10) instead of float32 (11, 10)"),
        (wrong_infinity, "value", "value at (2, 0): inf ulp off"),
        (no_reference, None, "no reference values"),
        (bad_call, None, "softmax, float32: ValueError: softmax: axis"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.slow
def test_wrong_result_is_reported(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], quantity: str | None, text: str
) -> None:
    copied(tmp_path, change)
    done = run("--json", "--backends", "numpy", path=tmp_path)
    assert done.returncode == 1
    found = json.loads(done.stdout)["libraries"]["numpy"]
    assert found["status"] == "off"
    assert any(text in line for line in found["off"]), found["off"]
    assert all(line.startswith("softmax, ") for line in found["off"])
    others = [by for name, by in found["operations"].items() if name != "softmax"]
    assert len(others) == len(OPERATIONS) - 1
    assert all(entry["ok"] for by in others for dtype in by.values() for entry in dtype.values())
    if quantity:
        for dtype in found["operations"]["softmax"].values():
            assert [name for name, entry in dtype.items() if not entry["ok"]] == [quantity]

    printed = run("--backends", "numpy", path=tmp_path)
    assert printed.returncode == 1
    assert "numpy is off:" in printed.stdout
    assert text in printed.stdout
    assert printed.stdout.splitlines()[-1].startswith("Not everything works: see numpy above.")
    assert ("!" in printed.stdout) == bool(quantity)


@on_numpy
def test_missing_library_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = libraries.find_libraries()
    absent = libraries.Library("absent", "no_such_module", "uniflogits[absent]", True)
    monkeypatch.setattr(libraries, "find_libraries", lambda: {"numpy": known["numpy"], "absent": absent})
    assert diagnostics.main([]) == 0
    printed = capsys.readouterr().out
    assert any(line.split()[:3] == ["absent", "not", "installed"] for line in printed.splitlines())
    assert 'pip install "uniflogits[absent]"' in printed
    assert diagnostics.main(["--backends", "absent"]) == 1, "it was asked for"


@on_numpy
def test_unknown_backend_is_one_line() -> None:
    done = run("--backends", "jaxx")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("python -m uniflogits: unknown backend 'jaxx'; choose from numpy, jax, ")


@on_numpy
def test_every_backend_is_known() -> None:
    """They are found by their files: a new one needs no entry here or there."""
    files = {path.stem for path in (PACKAGE / "_backends").glob("[a-z]*.py")} - {"generic"}
    found = libraries.find_libraries()
    assert {name for name, library in found.items() if library.backend} == files
    assert next(iter(found)) == "numpy"
    assert set(found) - files == {"array-api-strict", "dask"}


@on_numpy
def test_no_framework_is_imported_outside_the_workers() -> None:
    code = "import sys; from uniflogits._diagnostics import main; main(['--json', '--backends', 'numpy']); "
    code += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 0
    assert not {"jax", "torch", "tensorflow", "dask", "array_api_strict"} & set(done.stderr.split())


def exactly(numbers: Any, scale: Any = 0.0, low: Any = 0.0) -> Exact:
    high = np.asarray(numbers, dtype=float)
    return Exact(high, np.broadcast_to(low, high.shape), np.broadcast_to(scale, high.shape))


@on_numpy
def test_errors_are_counted_in_ulp() -> None:
    def errors(got: Any, exact: Exact, dtype: str = "float32", **allowed: Any) -> list[float]:
        allowed = {"dagger": False, "underflow": 0.0} | allowed
        return errors_in_ulp(np.asarray(got, float), exact, dtype, **allowed).tolist()

    inf, nan, step = float("inf"), float("nan"), 2.0**-23
    assert errors([1.0, 1 + 3 * step, -2 + step], exactly([1.0, 1.0, -2.0])) == [0.0, 3.0, 0.5]
    assert errors([1 + 4 * step], exactly([1.0], scale=4.0)) == [1.0]
    # 1 + 2^-54 is no float64: its distance from 1 is a quarter of an ulp.
    assert errors([1.0], exactly([1.0], low=2.0**-54), dtype="float64") == [0.25]
    assert errors([inf, -inf, nan, 0.0], exactly([inf, -inf, nan, 0.0])) == [0.0] * 4
    assert errors([inf, nan, 1.0, -inf, 1.0], exactly([1.0, 1.0, nan, inf, -inf])) == [inf] * 5
    assert errors([inf, -inf], exactly([1e39, 1e39])) == [0.0, inf]
    tiny = 2.0**-126
    assert errors([0.0, 0.0], exactly([tiny, 2 * tiny]), underflow=1.0) == [0.0, 2.0**22]
    assert errors([tiny / 2], exactly([0.0]), underflow=1.0) == [0.0]
    assert errors([tiny / 2], exactly([0.0])) == [2.0**22]
    (with_dagger,) = errors([2.0**-20 + 16 * 2.0**-43], exactly([2.0**-20]), dagger=True)
    assert with_dagger == pytest.approx(16 - 20 * np.log(2))
    assert errors([1.0], exactly([0.0]), dagger=True) == [2.0**149]
    assert errors([5.0], exactly([1.0], scale=inf)) == [0.0]


@on_numpy
def test_numbers_are_read_exactly() -> None:
    rows, scale = ["0x1p+0 -0x1.8p-2", "0x1.00000000000008p+0 inf"], ["0x1p+1 0x0p+0"] * 2
    found = read_exact({"exact": rows, "scale": scale})
    assert found.high.tolist() == [[1.0, -0.375], [1.0, float("inf")]]
    assert found.low.tolist() == [[0.0, 0.0], [2.0**-53, 0.0]]
    assert found.scale.tolist() == [[2.0, 0.0], [2.0, 0.0]]
    assert read_exact({"exact": "-0x1.00000000000008p+4"}).low.tolist() == [-(2.0**-49)]
    floats = make_array(np, ["0x1.8p+0 -inf", "0x0p+0 0x1p+4"], "float32")
    assert floats.dtype == np.float32
    assert floats.tolist() == [[1.5, -float("inf")], [0.0, 16.0]]
    labels = make_array(np, [3, 10, 0], "float32")
    assert labels.dtype.kind == "i"
    assert labels.tolist() == [3, 10, 0]
    assert ulp(np.asarray([1.0, 0.0, 3e-45]), "float32").tolist() == [2.0**-23, 2.0**-149, 2.0**-149]

"""Which libraries a test run is about (`--backend`), how thorough it is (`--quick`), what it writes down.

Nearly all of a run on JAX would be XLA's time for making small programs fast. Tests do without that, except
those of accuracy, which a run with `--optimized` repeats on the programs that users get.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import secrets
from typing import Any

# Before any library is imported: threads beside pytest-xdist's workers only get in each other's way.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tracing makes millions of objects that live on: looking them through for garbage takes an eighth of a run.
gc.set_threshold(100_000, 50, 100)

UNOPTIMIZED = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
    " --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)

import pytest  # noqa: E402

from tests import adapters, limits, record  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("uniflogits")
    group.addoption(
        "--backend",
        default=None,
        metavar="NAME[,NAME]",
        help=f"test these libraries only ({', '.join(adapters.NAMES)}); "
        "default: all that are installed but tensorflow, which runs alone",
    )
    group.addoption(
        "--optimized",
        action="store_true",
        help="values and derivatives of compiling libraries only, compiled with all optimizations",
    )
    group.addoption("--quick", action="store_true", help="fewer samples, and no slow tests")
    group.addoption(
        "--agreement", action="store_true", help="compare what the runs of all libraries wrote, nothing else"
    )


def pytest_configure(config: pytest.Config) -> None:
    # Workers are started from here and find it. What CI says of a commit does not depend on chance.
    seed = 20260 if os.environ.get("CI") else secrets.randbelow(2**31)
    os.environ.setdefault("UNIFLOGITS_SEED", str(seed))
    config.addinivalue_line("markers", "slow: left out by --quick")
    config.addinivalue_line(
        "markers", "agreement: compares the files of finished runs; runs with --agreement alone"
    )
    if importlib.metadata.version("numpy").startswith("2.0."):
        # It takes what gmpy2 has left in the processor's flags for its own cast's, when numbers of the oracle
        # become floats.
        config.addinivalue_line("filterwarnings", "ignore:invalid value encountered in cast:RuntimeWarning")
    config.stash[_BACKENDS] = _backends(config)
    # TensorFlow reads the same variable and refuses flags that it does not know.
    if "jax" in config.stash[_BACKENDS] and not config.getoption("optimized"):
        os.environ.setdefault("XLA_FLAGS", UNOPTIMIZED)
    if config.getoption("optimized"):
        limits.OPTIMIZED = True
    # Both leave out too much for a support table to be made of them.
    partial = config.getoption("quick") or config.getoption("optimized")
    if not hasattr(config, "workerinput") and not partial:
        config.pluginmanager.register(record.Recorder(), "matrix-recorder")


def pytest_report_header(config: pytest.Config) -> str:
    return f"accuracy: seed {os.environ['UNIFLOGITS_SEED']}"


# Each call compiles something or builds a graph.
SLOW = {"jax", "tensorflow", "dask"}
_BACKENDS = pytest.StashKey[tuple[str, ...]]()
_GROUP = pytest.StashKey[tuple[str, ...]]()


def _backends(config: pytest.Config) -> tuple[str, ...]:
    given = config.getoption("backend")
    if given is None:
        return tuple(name for name in adapters.DEFAULT if adapters.installed(name))
    names = tuple(name.strip() for name in given.split(","))
    for name in names:
        if name not in adapters.NAMES:
            raise pytest.UsageError(f"--backend: no library {name!r}; known are {', '.join(adapters.NAMES)}")
        if not adapters.installed(name):
            raise pytest.UsageError(f"--backend: {name} is not installed here")
    if "tensorflow" in names and len(names) > 1:
        raise pytest.UsageError(
            "--backend: tensorflow needs a process of its own (its LLVM and torch's abort each other); "
            "run it as a second command: pytest --backend tensorflow"
        )
    return names


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, dropped = [], []
    for item in items:
        (kept if _wanted(config, item) else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_collection_finish(session: pytest.Session) -> None:
    """What compiles together runs together, or JAX compiles everything anew for each test."""
    if hasattr(session.config, "workerinput") and session.config.getvalue("loadgroup"):
        grouped = [item for item in session.items if item.get_closest_marker("xdist_group") is not None]
        if not all("@" in item.nodeid for item in grouped):
            raise pytest.UsageError("pytest-xdist does not group tests under this version of pytest")


def _libraries(item: pytest.Item) -> set[str]:
    """Those that a test is about."""
    return {name for mark in item.iter_markers("backend") for name in mark.args}


def _wanted(config: pytest.Config, item: pytest.Item) -> bool:
    if (item.get_closest_marker("agreement") is not None) != config.getoption("agreement"):
        return False
    if config.getoption("optimized") and not _is_about_accuracy(item):
        return False
    if config.getoption("quick") and (item.get_closest_marker("slow") is not None or _takes_long(item)):
        return False
    needed = _libraries(item)
    chosen = set(config.stash[_BACKENDS])
    if not needed:
        # Tests of no library in particular belong to the ordinary run, not to TensorFlow's.
        return chosen != {"tensorflow"}
    return needed <= chosen


def _is_about_accuracy(item: Any) -> bool:
    cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
    if cell is None or cell.dtype not in ("float32", "float64"):
        return False
    # A second derivative takes longest to compile, and is the same formula in float64.
    kind = cell.property, cell.dtype
    return cell.property in ("value", "gradient") or kind == ("second_order", "float32")


def _takes_long(item: Any) -> bool:
    """What the quick tier leaves to the full one: where each call compiles, few properties have to do."""
    cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
    if cell is None:
        return bool(_libraries(item) & SLOW)
    if cell.backend in SLOW:
        derived = () if cell.backend == "dask" else ("gradient",)
        return cell.dtype != "float32" or cell.property not in ("value", "errors", *derived)
    thorough = cell.dtype != "float32" and cell.property not in ("value", "gradient")
    return thorough or cell.property == "traced_labels"


def pytest_runtest_setup(item: Any) -> None:
    # An adapter configures its library when it is imported: that comes before the first array of any test.
    for name in sorted(_libraries(item)):
        adapters.get(name)
    # What was compiled for one operation is of no use to the next, and thousands of programs end a process.
    group = item.get_closest_marker("xdist_group")
    if group is not None and group.args != item.config.stash.get(_GROUP, None):
        for name in _libraries(item):
            adapters.get(name).forget()
        item.config.stash[_GROUP] = group.args
    cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
    if cell is not None and not item.get_closest_marker("not_recorded"):
        item.user_properties.append(("cell", (cell.property, cell.operation, cell.backend, cell.dtype)))


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    """Whether this run is the quick tier."""
    return request.config.getoption("quick")

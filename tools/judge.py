"""Make the mutants of the formulas and rules, and run the tests on those that nobody has judged yet.

mutmut makes them: copies of the sources in mutants/ in which every function has its mistaken versions beside
it, one of which an environment variable chooses. Its own loop starts pytest for every mutant, which takes
several times as long as the test that notices it. Here one pytest collects tests/mutation.py and runs it
once, which loads all there is to load and tells which tests run which functions; each mutant is then a fork
of that process that runs the tests of its function, the quick ones first, until one fails.

Run in the environment of `make mutate`: python tools/judge.py [PATTERN ...] asks the libraries without
autodiff and few samples; with --again all of tests/mutation.py, of those that survived and are not explained.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import gc
import json
import os
import resource
import signal
import sys
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from mutants import MADE, ROOT, SURVIVED, explained

UNDER_TEST = "MUTANT_UNDER_TEST"
# mutmut's numbers: a failed test, none failed, no test runs the function, more time than it should take.
KILLED, PASSED, UNTESTED, TIMEOUT = 1, 0, 33, 36


class Judge:
    """A plugin in place of pytest's loop over its tests."""

    def __init__(self, patterns: list[str], again: bool, jobs: int) -> None:
        self.patterns, self.again, self.jobs = patterns, again, jobs
        self.tests_of: dict[str, list[Any]] = defaultdict(list)
        self.seconds: dict[Any, float] = {}
        self.metas = {
            path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(MADE.rglob("*.meta"))
        }
        self.known = explained()
        self.running: dict[int, tuple[Path, str]] = {}
        self.count = 0

    def wanted(self, name: str, outcome: int | None) -> bool:
        return outcome in SURVIVED and name not in self.known if self.again else outcome is None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        import hypothesis  # which pytest has to import first

        # What fails has been noticed: no smaller example is looked for.
        hypothesis.settings.register_profile("judge", phases=[hypothesis.Phase.generate])
        hypothesis.settings.load_profile("judge")
        self.watch([item for item in session.items if item.get_closest_marker("xfail") is None])
        gc.collect()
        gc.freeze()
        gc.disable()  # or every fork would copy what it looks through
        began = time.perf_counter()
        for path, pattern in [(path, pattern) for pattern in self.patterns for path in self.metas]:
            outcomes = self.metas[path]["exit_code_by_key"]
            names = [name for name in fnmatch.filter(outcomes, pattern) if self.wanted(name, outcomes[name])]
            for name in names:
                self.start(path, name)
                self.count += 1
                if self.count % 100 == 0:
                    print(f"{self.count} in {time.perf_counter() - began:.0f} s: {name}", flush=True)
                    self.save(path)
            self.wait(0)
            if names:  # another judge may be at the other files
                self.save(path)
        return True

    def watch(self, items: list[Any]) -> None:
        """Run all tests without a mutant: how long each takes, and which functions it runs."""
        from mutmut.state import state

        os.environ[UNDER_TEST] = "stats"
        for item in items:
            state()._stats.clear()
            began = time.process_time()
            if not run(item):
                pytest.exit(f"{item.nodeid} fails without a mutant", 1)
            self.seconds[item] = time.process_time() - began
            for function in state()._stats:
                self.tests_of[function].append(item)
        for tests in self.tests_of.values():
            tests.sort(key=self.seconds.__getitem__)

    def save(self, path: Path) -> None:
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(self.metas[path], indent=4), encoding="utf-8")
        beside.replace(path)

    def start(self, path: Path, name: str) -> None:
        tests = self.tests_of.get(name.rpartition("__mutmut_")[0], [])
        if not tests:
            self.metas[path]["exit_code_by_key"][name] = UNTESTED
            return
        self.wait(self.jobs - 1)
        child = os.fork()
        if child == 0:
            # Mutated loops may not end: then the system ends the process.
            limit = 20 + int(4 * sum(map(self.seconds.__getitem__, tests)))
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            os.environ[UNDER_TEST] = name
            os._exit(PASSED if all(map(run, tests)) else KILLED)
        self.running[child] = path, name

    def wait(self, most: int) -> None:
        """Until no more than `most` forks are running."""
        while len(self.running) > most:
            child, status = os.wait()
            path, name = self.running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            ended = code in (-signal.SIGXCPU, -signal.SIGKILL)
            self.metas[path]["exit_code_by_key"][name] = TIMEOUT if ended else code


def run(item: Any) -> bool:
    """Whether a test passes or is skipped. A report of it would take longer than most tests."""
    if not item._request:
        item._initrequest()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            item.ihook.pytest_runtest_setup(item=item)
            item.ihook.pytest_runtest_call(item=item)
        except pytest.skip.Exception:
            pass
        except BaseException:
            return False
        item.ihook.pytest_runtest_teardown(item=item, nextitem=None)
    item._request, item.funcargs = False, None
    return True


def make_mutants() -> None:
    """Those of sources that have changed; the others and what was found of them stay."""
    from mutmut import __main__ as mutmut

    os.environ[UNDER_TEST] = "mutant_generation"
    (ROOT / "mutants").mkdir(exist_ok=True)
    with contextlib.redirect_stdout(None):
        mutmut.copy_src_dir()
        mutmut.create_mutants(1)
    sys.path.insert(0, str(MADE.parent))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("patterns", nargs="*", default=["*"], help="of mutants' names, in this order")
    parser.add_argument("--again", action="store_true", help="ask more of those that survived")
    parser.add_argument("-k", default="", metavar="EXPRESSION", help="only these tests, as pytest takes it")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    given = parser.parse_args()
    os.chdir(ROOT)
    make_mutants()
    # These look through all of memory when a process ends.
    without = ["-p", "no:unraisableexception", "-p", "no:threadexception"]
    arguments = ["-q", "-p", "no:cacheprovider", *without]
    some = ["--backend", "numpy,strict,torch"] if given.again else ["--backend", "numpy,strict", "--quick"]
    some += ["-k", given.k] if given.k else []
    judge = Judge(given.patterns, given.again, given.jobs)
    code = pytest.main([*arguments, *some, "tests/mutation.py"], plugins=[judge])
    print(f"{judge.count} mutants judged")
    return int(code) if code not in (0, 5) else 0


if __name__ == "__main__":
    sys.exit(main())

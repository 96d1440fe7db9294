"""`python -m uniflogits`: versions, which libraries are usable or why not, and whether results are right."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from typing import Any, NoReturn

PROGRAM = "python -m uniflogits"
TIMEOUT = 180.0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{PROGRAM}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status."""
    options = _parse(arguments)
    if options.worker:
        from .worker import work

        return work(options.worker)
    from . import text
    from .examine import examine
    from .libraries import find_libraries

    libraries = find_libraries()
    names = list(dict.fromkeys(options.backends or libraries))
    for name in names:
        if name not in libraries:
            print(f"{PROGRAM}: unknown backend {name!r}; choose from {', '.join(libraries)}", file=sys.stderr)
            return 2
    report = _versions()
    if not options.json:
        print(text.heading(report), flush=True)
    report["libraries"] = {}
    for name in names:
        found = report["libraries"][name] = examine(libraries[name], options.timeout)
        # What nobody asked for may be missing.
        missing = found["status"] == "not installed" and not options.backends
        found["ok"] = found["status"] == "usable" or missing
        if not options.json:
            print(text.line(name, found), flush=True)
    report["ok"] = all(found["ok"] for found in report["libraries"].values())
    print(json.dumps(report, indent=1) if options.json else text.results(report), flush=True)
    return 0 if report["ok"] else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog=PROGRAM,
        description="Print versions and usable libraries, and check every operation on each of them against "
        "exact results. The exit status is 1 if a result is off, or if a library that is installed (or was "
        "asked for) does not work.",
    )
    parser.add_argument(
        "--json", action="store_true", help="print everything as JSON, for reports of defects"
    )
    parser.add_argument("--backends", nargs="+", metavar="NAME", help="look at these libraries only")
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT,
        metavar="SECONDS",
        help=f"how long one library may take (default: {TIMEOUT:g})",
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)  # the process that checks one library
    return parser.parse_args(arguments)


def _versions() -> dict[str, Any]:
    from .. import __version__
    from .libraries import find_versions

    return {
        "uniflogits": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": find_versions(),
    }

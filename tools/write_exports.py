"""Write the export lines of the package and its families from the operations that are defined.

    python tools/write_exports.py            writes them
    python tools/write_exports.py --check    says which are stale, exit status 1

A file `src/uniflogits/<family>/_<concept>.py` defines operations with `@operation`; they are found by reading
the source, so that a new one needs no import to be found.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "uniflogits"
LINE_LENGTH = 110
EXPORT = re.compile(r"^from \.(\w+) import (?:\(\n    )?(\w+) as \2(?:,\n\))?\n", re.MULTILINE)


def families() -> dict[str, dict[str, list[str]]]:
    """Family -> module -> names of the operations it defines."""
    found: dict[str, dict[str, list[str]]] = {}
    for folder in sorted(p for p in PACKAGE.iterdir() if p.is_dir() and not p.name.startswith("_")):
        modules = {path.stem: operations(path) for path in sorted(folder.glob("_[a-z]*.py"))}
        modules = {module: names for module, names in modules.items() if names}
        if modules:
            found[folder.name] = modules
    return found


def operations(path: Path) -> list[str]:
    """The functions of a file that carry `@operation`, sorted."""
    names = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            decorators = [d.id for d in node.decorator_list if isinstance(d, ast.Name)]
            if "operation" in decorators:
                names.append(node.name)
    return sorted(names)


def export(module: str, name: str) -> str:
    line = f"from .{module} import {name} as {name}\n"
    # As the formatter writes a line that is too long.
    return line if len(line) <= LINE_LENGTH + 1 else f"from .{module} import (\n    {name} as {name},\n)\n"


def expected(path: Path, lines: str, found: dict[str, dict[str, list[str]]]) -> str:
    """A file's text with its block of export lines replaced; everything else in it stays."""
    text = path.read_text(encoding="utf-8")
    ours = [match for match in EXPORT.finditer(text) if match.group(1) in found or path.parent != PACKAGE]
    if not ours:
        raise SystemExit(f"{path}: no export line to replace; write one `from .x import y as y` first")
    return text[: ours[0].start()] + lines + text[ours[-1].end() :]


def files() -> dict[Path, str]:
    """Every file with exports, and what it should hold."""
    found = families()
    result = {}
    for family, modules in found.items():
        path = PACKAGE / family / "__init__.py"
        lines = "".join(export(module, name) for module in sorted(modules) for name in modules[module])
        result[path] = expected(path, lines, found)
    path = PACKAGE / "__init__.py"
    names = [
        (family, name) for family in sorted(found) for module in found[family].values() for name in module
    ]
    result[path] = expected(path, "".join(export(family, name) for family, name in sorted(names)), found)
    return result


def stale() -> list[Path]:
    return [path for path, text in files().items() if path.read_text(encoding="utf-8") != text]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit status 1 if a file is stale"
    )
    check = parser.parse_args().check
    wanted = files()
    for path in stale():
        if check:
            print(f"{path}: stale exports; run python tools/write_exports.py", file=sys.stderr)
        else:
            path.write_text(wanted[path], encoding="utf-8")
            print(f"wrote {path}")
            continue
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

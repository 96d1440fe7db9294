"""One library examined from outside: whatever happens to its process is an answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from .libraries import Library

# No greetings from TensorFlow. JAX has float64 only where its user has asked for it.
_SETTINGS = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}


def examine(library: Library, timeout: float) -> dict[str, Any]:
    """Status, version, times and errors of one library."""
    if not library.installed:
        return {"status": "not installed", "reason": f'pip install "{library.package}"'}
    process = subprocess.Popen(
        [sys.executable, "-m", "uniflogits", "--worker", library.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=_SETTINGS | os.environ,
    )
    late = False
    try:
        output, complaints = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        late = True
        process.kill()
        output, complaints = process.communicate()
    found = _collect(output)
    stage = found.pop("stage", "being started")
    if found["status"] != "broken" and "seconds" not in found:
        how = f"did not answer within {timeout:g} s" if late else _ending(process.returncode)
        last = (complaints.strip().splitlines() or [""])[-1].strip()
        found |= {"status": "broken", "reason": f"{how} while {stage}" + (f": {last}" if last else "")}
    return found


def _collect(output: str) -> dict[str, Any]:
    """What the worker reported as one answer, with what it did last."""
    found: dict[str, Any] = {"status": "usable", "operations": {}, "off": []}
    for line in output.splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:  # cut off in the middle
            continue
        if "broken" in event:
            found |= {"status": "broken", "reason": event["broken"]}
        elif "off" in event:
            found["off"].append(event["off"])
        elif "result" in event:
            dtypes = found["operations"].setdefault(event["operation"], {})
            dtypes.setdefault(event["dtype"], {})[event["quantity"]] = event["result"]
        else:
            found |= event
    if found["off"] and "seconds" in found:
        found |= {"status": "off", "reason": "results are off"}
    return found


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"

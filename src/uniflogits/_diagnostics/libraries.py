"""Which array libraries to look for, and how to get at one. Nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
from typing import NamedTuple

import numpy as np

from .. import _backends
from .._backends.generic import Backend

# Packages whose versions a report of a defect should name, if they are there.
PACKAGES = (
    "numpy",
    "array-api-compat",
    "jax",
    "jaxlib",
    "torch",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "array-api-strict",
    "dask",
    "cupy",
    "ml_dtypes",
)


class Library(NamedTuple):
    """An array library by its name in options and tables."""

    name: str
    module: str  # to import
    package: str  # to install
    backend: bool  # whether uniflogits has a file of its own for it

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.module.split(".")[0]) is not None

    def start(self) -> Backend:
        """Import the library, and give its backend: its own or that of any Array API library."""
        module = importlib.import_module(self.module)
        if self.backend:
            return importlib.import_module(f"{_backends.__name__}.{self.name}").BACKEND
        array = module.asarray(np.zeros(1))
        found = _backends.find_backend(type(array), array)
        if found is None:
            raise TypeError(f"{self.module} makes no Array API arrays")
        return found

    def version(self) -> str:
        """What the imported library says of itself."""
        return str(getattr(importlib.import_module(self.module.split(".")[0]), "__version__", "unknown"))


def find_libraries() -> dict[str, Library]:
    """Those with a backend, which are named as their modules are, then two that need none."""
    modules = sorted(found.name for found in pkgutil.iter_modules(_backends.__path__))
    own = [name for name in modules if name != "generic" and not name.startswith("_")]
    own.sort(key=lambda name: name != "numpy")
    libraries = [Library(name, name, f"uniflogits[{name}]", True) for name in own]
    libraries.append(Library("array-api-strict", "array_api_strict", "array-api-strict", False))
    libraries.append(Library("dask", "dask.array", "dask[array]", False))
    return {library.name: library for library in libraries}


def find_versions() -> dict[str, str]:
    """The versions of installed packages, from their metadata."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions

"""How Sphinx builds the site; docs/_ext makes the pages of operations and the pictures meanwhile."""

from __future__ import annotations

import sys
from pathlib import Path

# What makes pages, and the tests that some are made of: no installed packages.
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import uniflogits

project = "uniflogits"
author = "the uniflogits contributors"
copyright = author  # Sphinx reads this name
version = release = uniflogits.__version__

extensions = [
    "sphinx.ext.autodoc",
    "numpydoc",
    "myst_parser",
    "operation_pages",
    "transform_page",
    "names_page",
    "museum_page",
    "pictures",
    "examples_page",
    "performance_page",
    "measured_pages",
]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext", "pictures"]
default_role = "code"

autodoc_typehints = "none"
numpydoc_show_class_members = False
# Public functions say what they do, take and return; what is missing fails the build.
numpydoc_validation_checks = {"GL08", "SS01", "PR01", "PR02", "PR07", "RT01", "RT03"}

html_theme = "pydata_sphinx_theme"
html_title = "uniflogits"
html_show_sourcelink = False
_WIDE = ("index", "logits", "quickstart", "gradients", "transforms", "contract", "collapse", "accuracy")
html_sidebars = {page: [] for page in _WIDE}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}

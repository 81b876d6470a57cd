"""How Sphinx builds the documentation: ``nox -s docs``."""

import importlib.metadata

from sphinx.application import Sphinx

project = "optoutkit"
author = "The optoutkit developers"
project_copyright = author
release = importlib.metadata.version("optoutkit")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes are told once, in the docstring of their class

html_theme = "furo"
html_title = "optoutkit"
html_show_copyright = False


def keep_colons(_app: object, what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Keep Napoleon from taking what stands before a colon in the docstring of a property for its type: it only looks at the first line."""
    if what in ("attribute", "data", "property"):
        lines[:0] = ["..", ""]


def setup(app: Sphinx) -> None:
    """Hear of docstrings before Napoleon does."""
    app.connect("autodoc-process-docstring", keep_colons, priority=400)

"""Settings of Sphinx for the site of `make docs`; `sources.py` lays out what it reads."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.ext.napoleon import Config, GoogleDocstring

import selfgym

sys.path.insert(0, str(Path(__file__).parent))
from sources import dotted, folders

# all of it first: autodoc writes into the annotations of pydantic's classes, which then makes no new ones
for folder, modules in folders():
    for module in modules:
        import_module(dotted(folder, module))

project = "selfgym"
author = "The selfgym developers"
copyright = "the selfgym developers, MIT licence"
release = version = selfgym.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
root_doc = "index"
default_role = "py:obj"  # a name in single backquotes is a link where there is something to link to
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
add_module_names = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries = False

html_theme = "furo"
html_title = "selfgym"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style, pygments_dark_style = "friendly", "github-dark"


def tidy(app: Any, doctree: nodes.document) -> None:
    """Drop bases that say nothing; look annotations up by the name they have, not by all names that end so (slow)."""
    for node in [node for node in doctree.findall(nodes.paragraph) if node.astext() == "Bases: object"]:
        node.parent.remove(node)
    for node in doctree.findall(pending_xref):
        if node.get("refspecific") is False:
            del node["refspecific"]


def take_sections(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Read ``Args:`` and the like. An attribute is left alone: words before a colon would become its type."""
    if what not in ("attribute", "data", "property"):
        lines[:] = GoogleDocstring(list(lines), Config(), app, what, name, obj, options).lines()


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", take_sections)
    app.connect("doctree-read", tidy)

"""Settings of Sphinx for the site of `make docs`; `sources.py` lays out what it reads."""

import selfgym

project = "selfgym"
author = "The selfgym developers"
copyright = "the selfgym developers, MIT licence"
release = version = selfgym.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "index"
nitpicky = False  # names in single backquotes become links where there is something to link to
default_role = "py:obj"
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings = ["ref.python"]  # an annotation's short name that several classes have leads nowhere

autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
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

"""``selfgym view``: a run as pages, from a local server or in one file.

Everything is rendered from the store when it is asked for; nothing is written into it. What a page shows was written by
models, environments and strangers: it goes through `selfgym.viewer.html`, which escapes it, and no page loads anything
from elsewhere.
"""

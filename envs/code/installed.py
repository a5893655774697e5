"""Copies of the packages of tasks that happen to be installed on this machine, and covers to put over them.

A session of the local backend sees this Python with everything that is installed in it. Whoever could read the package
that a task is made of there would read the solution, and whoever could import it would need none.
"""

from __future__ import annotations

import glob
import os
import site
import sys
from hashlib import blake2b

from selfgym.envs.code.packages import PACKAGES, data_folder

_SYSTEM = ("/usr/lib/python3*/*-packages", "/usr/local/lib/python3*/*-packages")


def covers() -> dict[str, str]:
    """Empty folders and files of `data_folder`, each with the installed folder or file that it belongs over."""
    found: dict[str, str] = {}
    for place in _copies():
        cover = data_folder() / "empty" / blake2b(place.encode(), digest_size=8).hexdigest()
        if os.path.isdir(place):
            cover.mkdir(parents=True, exist_ok=True)
        else:
            cover.parent.mkdir(parents=True, exist_ok=True)
            cover.touch()
        found[str(cover)] = place
    return found


def _copies() -> list[str]:
    """Where packages of tasks are installed, also inside of others that brought them along."""
    names = {place.rpartition("/")[2].removesuffix(".py") for package in PACKAGES for place in package.sources}
    own = [
        f"{glob.escape(base)}/lib/python3*/site-packages"
        for base in (sys.base_prefix, os.path.realpath(sys.base_prefix))
    ]
    roots = [*site.getsitepackages(), *(root for pattern in (*own, *_SYSTEM) for root in glob.glob(pattern))]
    roots += [inner for root in roots for inner in glob.glob(f"{glob.escape(root)}/*/_vendor")]
    places = {os.path.join(root, name + end) for root in roots for name in names for end in ("", ".py")}
    return sorted(place for place in places if os.path.exists(place))

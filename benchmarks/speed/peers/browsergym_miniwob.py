"""BrowserGym as a peer of benchmarks/speed/web_peers.py; runs in an environment with browsergym-miniwob and miniwob.

    python browsergym_miniwob.py [--no-waits] [--executable /usr/bin/chromium]

As shipped a task of MiniWoB has ``slow_mo`` 100 ms (``openended``: 1000 ms) and every step sleeps for
``pre_observation_delay`` 0.5 s; ``--no-waits`` sets both to nothing. Nothing else is changed but the place of Chromium,
which BrowserGym has no option for where it opens its chat.
"""

import argparse
import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

from protocol import serve, timed, verdict, versions_of

warnings.simplefilter("ignore")
KINDS = ("BUTTON", "A", "INPUT", "TEXTAREA", "SELECT")
HEADINGS = ("H1", "H2", "H3", "H4", "H5", "H6")


class Player:
    """One environment of BrowserGym at a time."""

    def __init__(self, executable, waits):
        import browsergym.core as core
        import browsergym.miniwob  # noqa: F401

        self.executable, self.waits = executable, waits
        self.env, self.seen = None, None
        pages = Path(find_spec("miniwob").submodule_search_locations[0])
        os.environ["MINIWOB_URL"] = f"{(pages / 'html' / 'miniwob').as_uri()}/"
        chromium = core._get_global_playwright().chromium
        launch = chromium.launch
        chromium.launch = lambda **options: launch(executable_path=executable, **options)

    def versions(self):
        """Of what is measured."""
        return versions_of(self.executable, "browsergym-core", "browsergym-miniwob", "playwright", "gymnasium")

    def make(self, task, url=None, **options):
        """An environment: a task of MiniWoB, or ``openended`` on an address at 1280 x 720. Options win over waits."""
        import gymnasium

        self.close()
        waits = {} if self.waits else {"slow_mo": 0, "pre_observation_delay": 0}
        if task == "openended":
            options["task_kwargs"] = {"start_url": url, "goal": "look"}
        name = "openended" if task == "openended" else f"miniwob.{task}"
        self.env, ms = timed(gymnasium.make, f"browsergym/{name}", **(waits | options))
        return {"ms": ms}

    def reset(self, seed, url=None):
        """A new episode: BrowserGym closes two browsers and starts two."""
        if url is not None:
            self.env.unwrapped.task_kwargs["start_url"] = url
        (self.seen, _), ms = timed(self.env.reset, seed=seed)
        return self._told(ms)

    def step(self, action):
        """``first``, ``link N`` (in the order of the page, modulo how many there are), or an action of BrowserGym."""
        target = ""
        if action == "first" or action.startswith("link "):
            bid, target = find(self.seen, None if action == "first" else int(action.split()[1]))
            action = f"click({bid!r})"
        (self.seen, reward, terminated, truncated, _), ms = timed(self.env.step, action)
        told = {"target": target, "reward": float(reward), "ended": bool(terminated or truncated)}
        return self._told(ms) | told | {"observed": True, "error": self.seen["last_action_error"][:300]}

    def noop(self):
        """A step that does nothing."""
        return self.step("noop(0)")

    def check_env(self, task):
        """What gymnasium says of it."""
        self.make(task)
        return verdict(self.env.unwrapped)

    def close(self):
        """The end of the environment; the process keeps its Playwright."""
        if self.env is not None:
            self.env.close()
            self.env = None

    def _told(self, ms):
        count = len(self.seen["extra_element_properties"])
        shape = list(self.seen["screenshot"].shape[:2])
        return {"ms": ms, "n_elements": count, "url": self.seen["url"], "screenshot": shape}


def find(seen, nth):
    """The bid and the name of what to click.

    That is the first visible button, link or field inside #area (all of the page where it has none), or, where there
    is no such thing, the first visible element that has words of its own and is no heading; with ``nth``, that link.
    """
    words, nodes = seen["dom_object"]["strings"], seen["dom_object"]["documents"][0]["nodes"]
    names, parents = [words[at] for at in nodes["nodeName"]], nodes["parentIndex"]
    pairs = (zip(flat[::2], flat[1::2], strict=True) for flat in nodes["attributes"])
    given = [{words[key]: words[at] for key, at in flat} for flat in pairs]
    area = next((at for at, one in enumerate(given) if nth is None and one.get("id") == "area"), None)
    inside = []
    for parent in parents:
        inside.append(area is None or (parent >= 0 and (parent == area or inside[parent])))
    visible = [at for at, one in enumerate(given) if inside[at] and _visible(seen, one.get("bid"))]
    kinds = KINDS if nth is None else ("A",)
    found = [at for at in visible if names[at] in kinds]
    if not found:
        texts = [words[at] if at >= 0 else "" for at in nodes["nodeValue"]]
        speaking = {parents[at] for at, name in enumerate(names) if name == "#text" and texts[at].strip()}
        found = [at for at in visible if at in speaking and names[at] not in HEADINGS]
    if not found:
        raise LookupError("there is nothing on this page to click")
    at = found[(nth or 0) % len(found)]
    return given[at]["bid"], f"{names[at].lower()}#{given[at].get('id', '')}.{given[at].get('class', '')}"


def _visible(seen, bid):
    one = seen["extra_element_properties"].get(bid)
    return bool(one and one["bbox"] and one["visibility"] >= 0.5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-waits", action="store_true")
    parser.add_argument("--executable", default="/usr/bin/chromium")
    asked = parser.parse_args()
    sys.exit(serve(Player(asked.executable, waits=not asked.no_waits)))

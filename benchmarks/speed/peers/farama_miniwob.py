"""Farama's miniwob as a peer of benchmarks/speed/web_peers.py; runs in an environment with the package miniwob.

    python farama_miniwob.py [--no-screenshots] [--executable /usr/bin/chromium] [--driver /usr/bin/chromedriver]

Nothing of it is changed: the browser and its driver are given in the variables that miniwob reads, and screenshots are
left out by its own option of ``reset``. A click is its CLICK_ELEMENT (``element.click()`` in the page, where BrowserGym
and selfgym send a mouse). Once an episode has ended it gives an empty observation, which costs next to nothing.
"""

import argparse
import os
import sys
import warnings

from protocol import serve, timed, verdict, versions_of

warnings.simplefilter("ignore")
KINDS = ("button", "a", "textarea", "select")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Player:
    """One environment of Farama's at a time."""

    def __init__(self, executable, driver, screenshots):
        os.environ |= {"MINIWOB_CHROME_BINARY": executable, "MINIWOB_CHROMEDRIVER": driver}
        import gymnasium
        import miniwob

        gymnasium.register_envs(miniwob)
        self.executable, self.screenshots = executable, screenshots
        self.env, self.tree = None, None

    def versions(self):
        """Of what is measured."""
        return versions_of(self.executable, "miniwob", "selenium", "gymnasium")

    def make(self, task):
        """An environment, with a browser that it keeps."""
        import gymnasium

        self.close()
        self.env, ms = timed(gymnasium.make, f"miniwob/{task}-v1")
        return {"ms": ms}

    def reset(self, seed):
        """A new episode, in the page that is open."""
        options = {"record_screenshots": self.screenshots}
        (seen, info), ms = timed(self.env.reset, seed=seed, options=options)
        self.tree = info["root_dom"]
        return self._told(ms, seen)

    def step(self, action):
        """``first``, or the name of an ActionTypes without arguments."""
        from miniwob.action import ActionTypes

        target, more = "", {}
        if action == "first":
            one = find(self.tree)
            target = f"{one.tag.partition('_')[0]}#{one.id}.{one.classes}"
            action, more = "CLICK_ELEMENT", {"ref": one.ref}
        built = self.env.unwrapped.create_action(ActionTypes[action], **more)
        (seen, reward, terminated, truncated, info), ms = timed(self.env.step, built)
        self.tree = info.get("root_dom", self.tree)
        told = {"target": target, "reward": float(reward), "ended": bool(terminated or truncated)}
        return self._told(ms, seen) | told | {"observed": "root_dom" in info, "error": ""}

    def noop(self):
        """A step that does nothing."""
        return self.step("NONE")

    def check_env(self, task):
        """What gymnasium says of it."""
        self.make(task)
        return verdict(self.env.unwrapped)

    def close(self):
        """The end of the environment and of its browser."""
        if self.env is not None:
            self.env.close()
            self.env = None

    def _told(self, ms, seen):
        shape = list(seen["screenshot"].shape[:2]) if self.screenshots else None
        url = self.env.unwrapped.instance.url
        return {"ms": ms, "n_elements": len(seen["dom_elements"]), "url": url, "screenshot": shape}


def find(tree):
    """What to click: the first button, link or field inside #area, else the first words there that are no heading."""
    area = next((one for one in tree.subtree_elements if one.id == "area"), tree)
    shown = [one for one in area.subtree_elements if one is not area and one.tag != "t"]
    found = [one for one in shown if one.tag in KINDS or one.tag.startswith("input")]
    found = found or [one for one in shown if one.text and one.tag not in HEADINGS]
    if not found:
        raise LookupError("there is nothing on this page to click")
    return found[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-screenshots", action="store_true")
    parser.add_argument("--executable", default="/usr/bin/chromium")
    parser.add_argument("--driver", default="/usr/bin/chromedriver")
    asked = parser.parse_args()
    sys.exit(serve(Player(asked.executable, asked.driver, screenshots=not asked.no_screenshots)))

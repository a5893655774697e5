"""Farama's miniwob as a peer of benchmarks/speed/web.py: under its own Python, one JSON object a line in and out.

Its click is ``element.click()`` rather than a pointer's, and it observes nothing on a step that ends an episode.
"""

import argparse
import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-screenshots", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("MINIWOB_CHROME_BINARY", "/usr/bin/chromium")
    os.environ.setdefault("MINIWOB_CHROMEDRIVER", "/usr/bin/chromedriver")
    import gymnasium
    import miniwob
    import selenium.webdriver.chrome.options as chrome

    original = chrome.Options.__init__

    def with_flags(self, *arguments, **keywords):
        original(self, *arguments, **keywords)
        for flag in ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"):
            self.add_argument(flag)

    chrome.Options.__init__ = with_flags
    gymnasium.register_envs(miniwob)
    from miniwob.action import ActionTypes

    env, seen = None, None
    for line in sys.stdin:
        call = json.loads(line)
        before = time.perf_counter()
        if call["do"] == "make":
            if env is not None:
                env.close()
            env = gymnasium.make(f"miniwob/{call['task']}-v1")
        elif call["do"] == "reset":
            seen, _ = env.reset(seed=call["seed"], options={"record_screenshots": not options.no_screenshots})
        elif call["do"] in ("click", "noop"):
            plain = env.unwrapped
            if call["do"] == "click":
                action = plain.create_action(ActionTypes.CLICK_ELEMENT, ref=target(seen))
            else:
                action = plain.create_action(ActionTypes.NONE)
            seen, _, terminated, truncated, _ = env.step(action)
        ms = 1e3 * (time.perf_counter() - before)
        told = {"ms": ms}
        if call["do"] in ("click", "noop"):
            told |= {"ended": bool(terminated or truncated), "error": ""}
        print(json.dumps(told), flush=True)
    if env is not None:
        env.close()


def target(seen):
    """The ref of the first button, link or field, in the order of the page; else of the first leaf."""
    kinds = ("button", "a", "input_text", "input_password", "input_checkbox", "input_radio", "textarea")
    found = [one["ref"] for one in seen["dom_elements"] if one["tag"] in kinds and one["width"][0] > 0]
    return (found or [one["ref"] for one in seen["dom_elements"] if one["ref"] > 0])[0]


if __name__ == "__main__":
    main()

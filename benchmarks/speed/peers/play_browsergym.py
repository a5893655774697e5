"""BrowserGym as a peer of benchmarks/speed/web.py: runs under its own Python, one JSON object a line in and out.

``--waits none`` takes out every wait it has by option (slow_mo, pre_observation_delay); as shipped it has both. What
is patched is only where Chromium lies and which switches it gets here.
"""

import argparse
import json
import sys
import time
import warnings

warnings.simplefilter("ignore")


def patch(executable, flags):
    """Have BrowserGym start the Chromium of this machine."""
    import browsergym.core as core

    playwright = core._get_global_playwright()
    launch = playwright.chromium.launch

    def here(**options):
        options["executable_path"] = executable
        options["args"] = [*(options.get("args") or []), *flags]
        return launch(**options)

    playwright.chromium.launch = here


PARTS = {
    "action": ["execute_python_code"],
    "screenshot": ["extract_screenshot"],
    "tree": [
        *("_pre_extract", "_post_extract", "extract_dom_snapshot", "extract_dom_extra_properties"),
        *("extract_merged_axtree", "extract_focused_element_bid"),
    ],
}
"""What a step is made of, as names of BrowserGym's functions; the rest is waiting and checking."""


def clock(spent):
    """Have the time of each part added up in ``spent``."""
    import browsergym.core.env as inside

    for part, names in PARTS.items():
        for name in names:
            setattr(inside, name, _timed(getattr(inside, name), part, spent))


def _timed(function, part, spent):
    def called(*arguments, **keywords):
        before = time.perf_counter()
        try:
            return function(*arguments, **keywords)
        finally:
            spent[part] = spent.get(part, 0.0) + 1e3 * (time.perf_counter() - before)

    return called


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--waits", choices=("shipped", "none"), default="shipped")
    parser.add_argument("--executable", default="/usr/bin/chromium")
    options = parser.parse_args()
    import browsergym.miniwob  # noqa: F401
    import gymnasium

    patch(options.executable, ["--no-sandbox", "--disable-gpu", "--disable-background-networking"])
    more = {} if options.waits == "shipped" else {"slow_mo": 0, "pre_observation_delay": 0}
    env, seen, spent = None, None, {}
    clock(spent)
    for line in sys.stdin:
        call = json.loads(line)
        spent.clear()
        before = time.perf_counter()
        if call["do"] == "make":
            if env is not None:
                env.close()
            if call.get("url"):
                size = {"viewport": {"width": 1280, "height": 720}}
                task = {"task_kwargs": {"start_url": call["url"], "goal": "look"}}
                env = gymnasium.make("browsergym/openended", **task, **size, **more)
            else:
                env = gymnasium.make(f"browsergym/miniwob.{call['task']}", **more)
        elif call["do"] == "reset":
            seen, _ = env.reset(seed=call["seed"])
        elif call["do"] == "click":
            seen, _, terminated, truncated, _ = env.step(f"click({target(seen, call.get('nth', 0))!r})")
        elif call["do"] == "noop":
            seen, _, terminated, truncated, _ = env.step("noop(0)")
        ms = 1e3 * (time.perf_counter() - before)
        told = {"ms": ms, "parts": dict(spent)}
        if call["do"] in ("click", "noop"):
            told |= {"ended": bool(terminated or truncated), "error": str(seen["last_action_error"])[:200]}
        print(json.dumps(told), flush=True)
    if env is not None:
        env.close()


def target(seen, nth):
    """The bid of the nth visible clickable button, link or field, in the order of the page."""
    roles = {"button", "link", "textbox", "checkbox", "radio", "StaticText"} if nth == 0 else {"link"}
    found = [
        node["browsergym_id"]
        for node in seen["axtree_object"]["nodes"]
        if node.get("browsergym_id")
        and node.get("role", {}).get("value") in roles - {"StaticText"}
        and visible(seen, node["browsergym_id"])
    ]
    if not found:  # a page of bare boxes: the first that listens
        found = [
            bid for bid, one in seen["extra_element_properties"].items() if one["clickable"] and visible(seen, bid)
        ]
    return found[nth % len(found)] if found else ""  # which is told as an error


def visible(seen, bid):
    """Whether BrowserGym holds an element to be in view."""
    one = seen["extra_element_properties"].get(bid)
    return bool(one and one["bbox"] and one["visibility"] >= 0.5)


if __name__ == "__main__":
    main()

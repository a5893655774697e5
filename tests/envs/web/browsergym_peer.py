"""Plays BrowserGym environments under the Python that has BrowserGym, and prints what happened as JSON."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from selfgym.envs.adapters import browsergym
from selfgym.envs.adapters.browsergym import BrowserGymEnv
from selfgym.envs.core import SnapshotError

QUICK = {"pre_observation_delay": 0.0, "slow_mo": 0}


class Pages(BaseHTTPRequestHandler):
    """Two pages, the second of another title each time it is asked for."""

    asked = 0

    def do_GET(self) -> None:
        Pages.asked += 1
        title = f"Visit {Pages.asked}" if self.path == "/changing" else "Home"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"<title>{title}</title><a href=/changing target=_blank>Away</a>".encode())

    def log_message(self, *arguments: Any) -> None:
        pass


def message(call: Callable[[], Any], *kinds: type[Exception]) -> str:
    try:
        call()
    except kinds as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def button(observation: str) -> str:
    line = next(line for line in observation.splitlines() if "] button" in line)
    return line.strip().partition("]")[0].removeprefix("[")


def miniwob() -> dict[str, Any]:
    env = BrowserGymEnv("miniwob.click-test", max_steps=4, render_mode="rgb_array", **QUICK)
    first, info = env.reset(seed=3)
    told = {"first": first, "info": info, "inside": env.observation_space.contains(first), "tools": len(env.tools)}
    told["same"] = env.reset(seed=3)[0] == first
    told["wrong"] = [env.step("click(")[4]["action_error"], env.step("noop(99999999)")[4]["action_error"]]
    told["nobody"] = env.step('click("999")')[0]
    snapshot, key = env.snapshot(), env.state_key()
    told["truncated"] = [env.step({"name": "clik", "arguments": {}})[3], env.render().shape[2]]
    told["ended"] = message(lambda: env.step("noop(0)"), ResetNeeded)
    again, info = env.restore(snapshot)
    told["again"] = [again == told["nobody"], env.state_key() == key, info["action_error"]]
    number = button(again)
    told["won"] = env.step({"name": "click", "arguments": {"element": int(number)}})[1:]
    won = env.snapshot()
    env.reset(seed=4)
    told["restored"] = env.restore(won)[1]["outcome"]
    told["damaged"] = message(lambda: env.restore(won[:-1]), SnapshotError)
    env.reset(seed=3)
    told["given up"] = env.step("report_infeasible('no')")[1:]
    env.close()
    return told


def openended() -> dict[str, Any]:
    server = HTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    env = BrowserGymEnv("browsergym/openended", task_kwargs={"start_url": url, "goal": "Look."}, **QUICK)
    told = {"first": env.reset(seed=0)[0], "foreign": message(lambda: env.restore(b"bgym1"), SnapshotError)}
    told["tabs"] = env.step("new_tab()")[0]
    env.step(f"goto('{url}changing')")
    snapshot = env.snapshot()
    env.reset(seed=0)
    told["differs"] = message(lambda: env.restore(snapshot), SnapshotError)
    env.reset(seed=0)
    browsergym._submit(env._inner.browser.close).result()
    told["lost"] = env.step("noop(0)")
    told["back"] = env.reset(seed=0)[1]
    env.close()
    server.shutdown()
    return told


def checked() -> str:
    """What Gymnasium's own checker says."""
    env = BrowserGymEnv("miniwob.click-test", render_mode="ansi", **QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = message(lambda: check_env(env, skip_render_check=True), Exception)
    env.close()
    return said


if __name__ == "__main__":
    found = {"miniwob": miniwob(), "openended": openended(), "checked": checked()}
    found["unknown"] = message(lambda: BrowserGymEnv("miniwob.click-tset"), ValueError)
    found["family"] = message(lambda: BrowserGymEnv("nothing.click"), RuntimeError)
    print(json.dumps(found))

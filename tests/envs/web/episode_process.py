"""A process of its own with a browser, for the tests: ``python episode_process.py wait|fork ADDRESS-PORT``.

``wait`` begins an episode, says which processes it has, and waits to be killed. ``fork`` plays one here, one in each of
two forks, and one here again.
"""

from __future__ import annotations

import os
import sys
import time

from selfgym.envs.web.opened import WebEnv


def descendants(root: int) -> dict[int, str]:
    """The processes below ``root``, with their command lines."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    state, parent = file.read().rpartition(")")[2].split()[:2]
            except OSError:  # it has just ended
                continue
            if state != "Z":
                parents[int(name)] = int(parent)
    found: dict[int, str] = {}
    waiting = [root]
    while waiting:
        above = waiting.pop()
        for process, parent in parents.items():
            if parent == above and process not in found:
                try:
                    with open(f"/proc/{process}/cmdline", "rb") as file:
                        found[process] = file.read().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                waiting.append(process)
    return found


def play(env: WebEnv) -> None:
    """An episode of one action."""
    text, _ = env.reset(seed=1)
    assert "Nothing happens here" in text
    assert env.step("click(1)")[4]["action_error"] is None


def main() -> None:
    """See above."""
    what, port = sys.argv[1], int(sys.argv[2])
    settings = {"url": "http://evil.test/start", "addresses": {"evil.test": ("127.0.0.1", port)}}
    env = WebEnv(**settings)
    play(env)
    if what == "wait":
        print(*descendants(os.getpid()), flush=True)
        time.sleep(600)
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                mine = WebEnv(**settings)
                play(mine)
                mine.close()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    play(env)
    env.close()
    print("ended with", *ended, flush=True)


if __name__ == "__main__":
    main()

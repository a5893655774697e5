"""Plays ALFWorld's own engine for whoever writes to its standard input: the other side of parity and speed checks.

This file runs in an environment that has ``alfworld`` and ``textworld[pddl]``, not selfgym, and imports nothing of
selfgym. Requests and answers are lines of JSON:

* ``{"load": path, "rules": folder or null}`` -> ``{"observation", "won", "admissible", "seconds"}``
* ``{"step": command}`` -> ``{"observation", "reward", "done", "won", "admissible", "seconds"}``

``rules`` names a folder with another ``alfred.pddl`` and ``alfred.twl2`` (another version of ALFWorld) to play under.
``--memoise`` remembers the derivation of command texts, which depends only on facts that never change: five times as
fast, for long parity checks; never used to measure speed. ``--without-admissible`` does not ask for the admissible
commands.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer requests until standard input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr  # the engine prints, and swaps sys.stdout while it translates
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler
    from textworld.envs.pddl import PddlEnv

    remembered = _memoise() if "--memoise" in sys.argv else {}
    asked = textworld.EnvInfos(won=True, admissible_commands="--without-admissible" not in sys.argv)
    env = AlfredDemangler(PddlEnv(asked))
    for line in sys.stdin:
        request = json.loads(line)
        began = time.process_time()
        if "load" in request:
            remembered.clear()
            env.load(_game(request["load"], request.get("rules")))
            state = env.reset()
            answer: dict[str, Any] = {}
        else:
            state, reward, done = env.step(request["step"])
            answer = {"reward": reward, "done": done}
        answer["seconds"] = time.process_time() - began
        answer |= {"observation": state.feedback, "won": state["won"], "admissible": state["admissible_commands"]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _game(path: str, rules: str | None) -> Any:
    if rules is None:
        return path
    data = json.loads(Path(path).read_text())
    task = re.search(r"Your task is to: .*?(?=\")", data["grammar"])
    if task is None:
        raise SystemExit(f"{path}: the grammar names no task")
    data["pddl_domain"] = Path(rules, "alfred.pddl").read_text()
    data["grammar"] = Path(rules, "alfred.twl2").read_text().replace("Your task is to: UNKNOWN GOAL.", task[0])
    return data


def _memoise() -> dict[Any, str]:
    from textworld.envs.pddl.textgen import ContextSensitiveGrammar

    remembered: dict[Any, str] = {}
    derive = ContextSensitiveGrammar.derive

    def derive_once(grammar: Any, start: str, context: Any) -> str:
        if "#" in start:
            return str(derive(grammar, start, context))
        key = (start, *sorted((holder.name, value.name) for holder, value in context["mapping"].items()))
        if key not in remembered:
            remembered[key] = derive(grammar, start, context)
        return remembered[key]

    ContextSensitiveGrammar.derive = derive_once
    return remembered


if __name__ == "__main__":
    main()

"""A small suite, and how the tests of the leaderboard play it."""

from __future__ import annotations

import sys
from pathlib import Path

from selfgym.benchmarks.leaderboard.playing import Entrant
from selfgym.benchmarks.leaderboard.running import Plan, run_suite
from selfgym.benchmarks.leaderboard.suite import Suite

SUITE = Suite.model_validate(
    {
        "name": "small", "version": 1, "about": "A house and a desktop.",
        "parts": [
            {
                "name": "house", "env": "selfgym/Household-v0", "env_version": "1.1", "expert": "expert",
                "options": {"size": "tiny", "split": "test", "max_steps": 12}, "seeds": {"count": 8},
                "practice": {"options": {"split": "train"}, "seeds": {"count": 20}, "prove": 3},
            },
            {
                "name": "desk", "env": "selfgym/MiniDesktop-v0", "env_version": "2", "expert": "typist",
                "options": {"max_steps": 12}, "seeds": {"start": 700, "count": 3},
            },
        ],
    }
)  # fmt: skip
HOUSE = SUITE.model_copy(update={"name": "house", "parts": SUITE.parts[:1]})
sys.path.append(str(Path(__file__).parent / "entrants"))  # worker processes have it then too


def plan(agent: str, suite: Suite = SUITE, **more) -> Plan:
    """An agent of this file, or a built-in one, in a suite."""
    model = more.pop("model", "")
    entrant = Entrant(agent if agent.islower() or ":" in agent else f"entrants:{agent}", more.pop("options", {}), model)
    return Plan(suite, entrant, entrant.source(suite), **more)


def measure(folder: Path, agent: str, suite: Suite = SUITE, *, missing=lambda part: "", **more):
    """(result, folder of the result)."""
    how = {name: more.pop(name) for name in ("policy", "workers", "prices") if name in more}
    made = plan(agent, suite, **more)
    return run_suite(made, folder / made.run, missing, lambda *told: None, **how), folder / made.run

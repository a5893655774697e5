"""What every agent around another agent passes on."""

from __future__ import annotations

from typing import Any

from selfgym.agents.agent import Agent
from selfgym.memory.episode import Episode


class Around:
    """Has ``agent`` inside, and tells it of the beginning and the end of each episode."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    @property
    def policy_version(self) -> int:
        """That of the agent inside."""
        return int(getattr(self.agent, "policy_version", 0))

    @property
    def usage(self) -> dict[str, int]:
        """That of the agent inside, where it asks a model in its own way and tells how often."""
        return dict(getattr(self.agent, "usage", {}))

    def begin(self, env: Any) -> None:
        """Pass the environment on."""
        if hasattr(self.agent, "begin"):
            self.agent.begin(env)

    def end(self, episode: Episode) -> None:
        """Pass the episode on."""
        if hasattr(self.agent, "end"):
            self.agent.end(episode)

"""A method at work on a library: what every method of remembering has in common, so that none can go round it.

memory = Memory(find_method("expel"), library, "selfgym/Household-v0")
job = Job(id, make_env, lambda: memory.agent(agent, episode=id), seed)  # shows, withholds, runs skills
memory.credit(episodes)  # what was shown gets the reward
memory.learn(episodes)  # writes, checks, admits
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from selfgym.agents.agent import Agent
from selfgym.agents.methods.method import Method, Practice, Task
from selfgym.agents.methods.writer import Writer
from selfgym.agents.recalling import RecallConfig, shown
from selfgym.agents.remembering import Recall, RememberingAgent
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory import credit
from selfgym.memory.episode import Episode
from selfgym.memory.gate import NotAdmittedError, admit
from selfgym.memory.item import Check, Item, Kind
from selfgym.memory.library import Library, Status
from selfgym.memory.schema import SHOWABLE
from selfgym.memory.taint import with_taint
from selfgym.memory.verify import REPLACED, Play, bear_out, can_check, climb, supersede
from selfgym.memory.views import Count, approximate_tokens


@dataclass
class Memory:
    """One method, one library, one environment."""

    method: Method
    library: Library
    """Opened for reading only, it shows everything that it holds and neither learns nor credits."""
    env: str
    run: str = ""
    writer: Writer | None = None
    """None: the method's own rules write."""
    play: Play | None = None
    """Who plays for the ladder; without one, skills and whatever a model wrote stay candidates."""
    sandbox: Sandbox | None = None
    config: RecallConfig = field(default_factory=RecallConfig)
    count: Count = approximate_tokens
    env_options: dict[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    """Of the tasks on which items are contrasted, with these options: in no practice and no evaluation."""
    without: frozenset[Kind] = frozenset()
    """Kinds that are not shown: to see what they are worth."""
    past: list[Episode] = field(default_factory=list)

    def agent(self, agent: Agent, *, episode: str, task: str = "") -> RememberingAgent:
        """``agent`` with this memory, for the episode that will be logged under this id."""
        wrap = getattr(self.method, "wrap", None)
        help = getattr(self.method, "help", None)
        return RememberingAgent(
            wrap(agent, self.writer) if wrap else agent,
            partial(self._recall, task),
            episode=episode,
            sandbox=self.sandbox,
            used=partial(self._used, episode),
            help=partial(help, self.library, Task("", self.env, task, episode), self.sandbox) if help else None,
        )

    def _recall(self, task: str, goal: str, episode: str) -> Recall:
        asked = Task(goal, self.env, task, episode)
        found = [item for item in self.method.recall(self.library, asked) if item.kind not in self.without]
        config = replace(self.config, heading=self.method.heading)
        return shown(self.library, found, episode, config, self.count, task=task)

    def _used(self, episode: str, item: str) -> None:
        if not self.library.readonly:
            self.library.log(item, "used", episode=episode)

    def credit(self, episodes: Sequence[Episode]) -> dict[str, Status]:
        """Give each episode's reward to what it was shown and denied; what that changed, by item."""
        for episode in episodes:
            if not episode.outcome.is_error:
                credit.close(self.library, episode.id, float(episode.outcome is Outcome.SUCCESS))
        return credit.review(self.library, self.config.credit)

    def learn(self, episodes: Sequence[Episode]) -> list[str]:
        """Let the method write, and admit what passes; the ids of what can be shown now and could not before."""
        new = [episode for episode in episodes if not episode.outcome.is_error]
        self.past += new
        practice = Practice(self.past, new, self.env, self.run, self.env_options, self.seeds)
        items = self.method.write(self.library, practice, self.writer)
        known = {episode.id: episode for episode in self.past}
        admitted = []
        for item in items:
            if item.id not in self.library:  # else its taint and its parents are known
                sources = [known[id] for id in item.origin.episodes if id in known]
                item = self._in_its_place(with_taint(item, sources, self.library))
            if self._enter(item):
                admitted.append(item.id)
        return admitted

    def _in_its_place(self, item: Item) -> Item:
        """As an edit of what the method said under the same title before, if that can still be shown."""
        olds = [self.library.get(id) for id in self._namesakes(item)]
        parents = (*item.origin.parents, *(old.id for old in olds))
        taint = sorted({*item.origin.taint, *(one for old in olds for one in old.origin.taint)})
        return item.model_copy(
            update={"origin": item.origin.model_copy(update={"parents": parents, "taint": tuple(taint)})}
        )

    def _namesakes(self, item: Item) -> list[str]:
        rows = self.library.rows(
            "SELECT id FROM items JOIN standing ON item = id WHERE kind = ? AND title = ? AND env = ? AND task = ? "
            "AND id <> ? AND status IN (?, ?) AND json_extract(doc, '$.origin.method') = ?",
            (item.kind, item.title, item.scope.env, item.scope.task, item.id, *SHOWABLE, item.origin.method),
        )
        return [id for (id,) in rows]

    def _enter(self, item: Item) -> bool:
        """Propose an item and take it up the ladder; whether it can be shown now and could not before."""
        again = item.id in self.library
        before = self.library.standing(item.id).status if again else Status.CANDIDATE
        self.library.propose(item, why=f"{self.method.name}{' again' if again else ''}")
        if before is Status.RETIRED and _was_replaced(self.library, item.id):
            with suppress(NotAdmittedError):
                admit(self.library, item.id, Status.TRIAL, "what replaced it no longer holds")
        elif before is Status.CANDIDATE and can_check(item, self.sandbox, self.play):
            self._borne_out(item)
            climb(self.library, item.id, sandbox=self.sandbox, play=self.play)
        if before in SHOWABLE or self.library.standing(item.id).status not in SHOWABLE:
            return False
        for old in self._namesakes(item):
            supersede(self.library, old, item.id, sandbox=self.sandbox, play=self.play)
        return True

    def _borne_out(self, item: Item) -> None:
        """Look for tasks that a tainted item helps to solve; without any it stays a candidate."""
        if not item.tainted or self.play is None or not self.seeds or any(c.rung == "contrast" for c in item.checks):
            return
        if item.scope.task:
            return  # of other tasks it says nothing
        if self.library.events(item.id, what="contrasted"):
            return  # the same tasks would say the same
        check = Check(rung="contrast", env=self.env, env_options=self.env_options, seeds=self.seeds)
        verdict = bear_out(self.library, item, check, self.play)
        value = None if verdict.passed is None else float(verdict.passed)
        self.library.log(item.id, "contrasted", value=value, note=verdict.why)


def _was_replaced(library: Library, id: str) -> bool:
    last = library.events(id, what="status")[-1]
    return last.note.startswith(f"{Status.RETIRED}: {REPLACED}")

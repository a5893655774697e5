"""What a method of remembering is: which items it shows for a task, and which it writes after episodes.

That is all that is theirs. Taint, the admission ladder, the gate, withholding by lot, quoting and credit are the same
for all of them and stand in `selfgym.agents.methods.memory`, so no method can show what the gate would not let in, and
a method is one short file beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from selfgym.agents.methods.writer import Writer
from selfgym.agents.named import Named
from selfgym.agents.recalling import seed_of
from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode
from selfgym.memory.item import Check, Item, Kind, Origin, Scope, visible
from selfgym.memory.library import Library


@dataclass(frozen=True, slots=True)
class Task:
    """What is known when something is to be recalled: never an observation."""

    goal: str
    env: str
    id: str = ""
    """As `Episode.task_id` names it."""
    episode: str = ""

    @property
    def seed(self) -> int:
        """Of whatever is drawn for the episode."""
        return seed_of(self.episode)


@dataclass(frozen=True, slots=True)
class Practice:
    """What there is to learn from; episodes lost to errors are left out."""

    past: Sequence[Episode]
    """Everything so far, oldest first, ``new`` included."""
    new: Sequence[Episode]
    """What was played since the method wrote last."""
    env: str
    run: str = ""
    env_options: dict[str, Any] = field(default_factory=dict)
    """Of the tasks that an item is proved on."""
    seeds: tuple[int, ...] = ()
    """Tasks of the same split that nobody practised on, for `contrast`."""

    def origin(self, method: str, episodes: Sequence[Episode], model: str = "") -> Origin:
        """Where an item comes from that ``method`` made from ``episodes``."""
        splits = {episode.split for episode in episodes}
        split = next((split for split in ("test", "valid", "train") if split in splits), "none")
        ids = tuple(dict.fromkeys(episode.id for episode in episodes))[-20:]
        return Origin.model_validate(
            {"run": self.run, "episodes": ids, "split": split, "method": method, "model": model}
        )

    def item(
        self, method: str, kind: Kind, title: str, sources: Sequence[Episode], *, model: str = "", task: str = "",
        tags: tuple[str, ...] = (), **fields: Any,
    ) -> Item:  # fmt: skip
        """An item for this environment that ``method``, or a ``model`` for it, made from ``sources``."""
        scope = Scope(env=self.env, task=task, tags=tags)
        origin = self.origin(method, sources, model)
        most = {"when": 1024, "body": 4000}
        fields |= {name: visible(fields[name])[: most[name]] for name in most.keys() & fields.keys()}
        return Item(kind=kind, title=visible(title)[:80], scope=scope, origin=origin, **fields)

    def examples(self, method: str) -> list[Item]:
        """The new successes as they were played: a workflow each, under the task's own words."""
        return [
            self.item(
                method, Kind.WORKFLOW, f"Solved: {episode.task}", [episode],
                body="\n".join(step.action for step in episode.steps if step.valid)[:2000],
            )
            for episode in self.new if episode.outcome is Outcome.SUCCESS
        ]  # fmt: skip

    def replay(self, episode: Episode) -> Check:
        """The check that ``episode``'s task is solved with a skill, and by calling it."""
        return Check(rung="replay", env=self.env, env_options=episode.env_options, seeds=(episode.seed or 0,))

    def contrast(self) -> tuple[Check, ...]:
        """The check by held-out tasks with and without an item; empty where there are none."""
        if not self.seeds:
            return ()
        return (Check(rung="contrast", env=self.env, env_options=self.env_options, seeds=self.seeds),)


class Method(Protocol):
    """A way to remember. A frozen dataclass whose fields are the paper's settings.

    A method may also define ``wrap(agent, writer) -> Agent``, where it does something during an episode, and
    ``help(library, task, sandbox, request, recall) -> Recall``, where an agent may ask for help.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    """Paper, and code where it was read."""
    heading: ClassVar[str]
    """What the block of recalled items is called."""

    def recall(self, library: Library, task: Task) -> Sequence[Item]:
        """What to show, best first. What the gate refuses, what is withheld and what does not fit is left out later."""
        ...

    def write(self, library: Library, practice: Practice, writer: Writer | None) -> Sequence[Item]:
        """The items that new episodes teach; without a ``writer``, by rules alone.

        An item with the kind and the title of one that this method wrote before takes its place. A method may lower
        what stands in the library (retire an item, count against it); only the gate raises it.
        """
        ...


METHODS = {
    "reflexion": "selfgym.agents.methods.reflexion:Reflexion",
    "expel": "selfgym.agents.methods.expel:Expel",
    "awm": "selfgym.agents.methods.awm:WorkflowMemory",
    "dynamic-cheatsheet": "selfgym.agents.methods.dynamic_cheatsheet:DynamicCheatsheet",
    "omnireflect": "selfgym.agents.methods.omnireflect:OmniReflect",
    "mobile-agent-e": "selfgym.agents.methods.mobile_agent_e:TipsAndShortcuts",
    "atlas": "selfgym.agents.methods.atlas:Atlas",
    "metaagent": "selfgym.agents.methods.metaagent:MetaAgent",
    "draft": "selfgym.agents.methods.draft:Draft",
    "cradle": "selfgym.agents.methods.cradle:Cradle",
    "alita": "selfgym.agents.methods.alita:Alita",
    "smart": "selfgym.agents.methods.smart:Smart",
}
"""The built-in methods, loaded when asked for."""


class UnknownMethodError(LookupError):
    """No method has that name."""


_NAMED = Named("method", METHODS, "selfgym.methods", UnknownMethodError)


def find_method(name: str, **settings: Any) -> Method:
    """The method called ``name`` with these settings: a built-in one, one that a package announces under the group
    ``selfgym.methods``, or ``module:Class``.

    Raises `UnknownMethodError` with the nearest known name.
    """
    made: Method = _NAMED.find(name)(**settings)
    return made

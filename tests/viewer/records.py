"""Small stores for the tests of the viewer: a run with a search tree, evaluations, a chain and a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from selfgym.agents.skill_writing import skills_in
from selfgym.envs.core import Outcome
from selfgym.memory.credit import close
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.item import Check, Code, Item, Origin
from selfgym.memory.library import Library, Status
from selfgym.memory.snapshots import score, take
from selfgym.memory.store import EpisodeStore

GROUP = "run/tree-0/T"


def episode(id: str, actions: Sequence[str] = ("look",), **fields: object) -> Episode:
    """One whose observations and actions are told apart by words of their own."""
    steps = tuple(
        Step(observation=f"you see place {number}", action=action, reward=float(number == len(actions)))
        for number, action in enumerate(actions, 1)
    )
    standard = {
        "id": id, "env": "selfgym/Household-v0", "task": f"task of {id}", "agent": "react", "run": "run",
        "phase": "train", "steps": steps, "outcome": Outcome.SUCCESS, "final_observation": "the end", "created": 1e9,
    }  # fmt: skip
    return Episode(**{**standard, **fields})


def tree() -> list[Episode]:
    """Two bad paths and a good one, and a revision that leaves the first bad one after its second step."""
    bad, good = Outcome.TRUNCATED, Outcome.SUCCESS
    place = {"group": GROUP, "phase": "tree-0", "task": "put a cup away"}
    paths = [
        episode(f"{GROUP}/0", ("go", "take fork", "wait"), outcome=bad, **place),
        episode(f"{GROUP}/1", ("go", "take fork", "sing"), outcome=bad, parent=f"{GROUP}/0", branch_step=2, **place),
        episode(f"{GROUP}/2", ("go", "take cup", "put cup"), outcome=good, parent=f"{GROUP}/1", branch_step=1, **place),
    ]
    noted = {"proposed": [["take fork", -0.2], ["take cup", -1.5]], "value": 0.25, "visits": 4}
    paths = [
        path.model_copy(
            update={"steps": (path.steps[0], path.steps[1].model_copy(update={"info": noted}), path.steps[2])}
        )
        for path in paths
    ]
    replayed = [
        Step(observation="x", action=action, source=Source.INJECTED, trainable=False) for action in ("go", "take fork")
    ]
    turn = Step(observation="a fork", action="take cup", thought="That was wrong.", source=Source.TEACHER)
    last = Step(observation="a cup", action="put cup", reward=1.0, source=Source.TEACHER)
    place |= {"phase": "revision-0", "parent": f"{GROUP}/0", "branch_step": 2}
    return [*paths, episode("run/revision-0/T/0", **place | {"steps": (*replayed, turn, last)})]


def evaluations(run: str = "run", wins: Sequence[int] = (2, 6)) -> list[Episode]:
    """Ten held-out tasks after each update, of which so many are won; the last task is lost to an error each time."""
    return [
        episode(
            f"{run}/eval-{number}/{task}", run=run, phase=f"eval-{number}", split="test", task_id=f"task-{task}",
            outcome=Outcome.ENV_ERROR if task == 10 else Outcome.SUCCESS if task < won else Outcome.FAILURE,
            error="it fell over" if task == 10 else "",
        )
        for number, won in enumerate(wins)
        for task in range(11)
    ]  # fmt: skip


def sampled(id: str = "run/sampled") -> Episode:
    """An episode with tokens, a refused action and a memory item."""
    steps = (
        Step(
            observation="a shelf", prompt_ids=(1, 5, 6), response_ids=(7, 8, 2), logprobs=(-0.001, -3.0, -0.2),
            fresh=True, action="go to shelf", thought="I think so.", policy_version=3,
        ),
        Step(observation="nothing happens", action="dance", valid=False),
    )  # fmt: skip
    return episode(id, steps=steps, outcome=Outcome.POLICY_ERROR, error="ValueError: no more")


def keep(library: Library, title: str = "Look before you take", **fields: object) -> Item:
    """Propose an item and put it on trial; shown twice and withheld twice, it was worth 0.5."""
    item = Item(kind="insight", title=title, when="a thing is wanted", body="Look around first.",
                origin=Origin(run="run", method="symbolic", episodes=("run/sampled",)), **fields)  # fmt: skip
    library.propose(item, why="it helped")
    library.move(item.id, Status.TRIAL, "to be tried")
    for number, (what, reward) in enumerate([("shown", 1.0), ("withheld", 0.0), ("shown", 1.0), ("withheld", 1.0)]):
        name = f"{title[:4]}-{number}"
        library.log(item.id, what, episode=name)
        close(library, name, reward)
    return item


def make_run(folder: Path) -> Path:
    """A run folder with all of the above; two snapshots of its library."""
    folder.mkdir(parents=True, exist_ok=True)
    with Library(folder / "episodes.db") as library:
        item = keep(library)
        score(library, take(library), "held-out", 0.25)
        keep(library, "Doors are opened first")
        score(library, take(library), "held-out", 0.75)
    chain = [
        episode(f"run/chain/{place}", chain="run/chain", chain_position=place, phase="chain-0") for place in (0, 1)
    ]
    with EpisodeStore(folder / "episodes.db") as store:
        shown = sampled().model_copy(update={"items": (item.id,)})
        store.append([shown, *tree(), *evaluations(), *chain])
    return folder


TIDY = "def tidy(day):\n    found = apis.mail.search(day=day)\n    return found"
HEAT = "skill heat(thing): go to microwave 1; heat {thing} with microwave 1"


def chained() -> list[Episode]:
    """A chain of programs, whose first one writes a function that the second calls and writes anew; and a chain in a
    household, whose first episode thinks of a sequence of actions that the second calls."""
    first, second = Step(observation="a desk", action=f"x = 1\n{TIDY}"), Step(observation="done", action="tidy(1)")
    again = Step(observation="half done", action=f"{TIDY.replace('found', 'mails')}\ntidy(3)", reward=1.0)
    apps = {"env": "selfgym/Apps-v0", "chain": "run/apps", "phase": "group-0"}
    brought = {"tidy": {"source": TIDY, "episode": "run/apps/0"}}
    [skill] = skills_in(HEAT).values()
    called = {"skill": skill.id, "call": 'call heat(thing="egg 1")'}
    rooms = {"chain": "run/rooms", "phase": "group-0"}
    heated = (
        Step(observation="a room", action="go to microwave 1", info=called),
        Step(observation="a microwave", action="heat egg 1 with microwave 1", info={"skill": skill.id}),
    )
    return [
        episode("run/apps/0", steps=(first, second), info={"brought": {}, "used": []}, **apps),
        episode("run/apps/1", steps=(second, again), chain_position=1, info={"brought": brought, "used": ["tidy"]},
                **apps),
        episode("run/rooms/0", steps=(Step(observation="a room", action="look", thought=f"Aha. {HEAT}"),),
                info={"brought": {}, "used": []}, **rooms),
        episode("run/rooms/1", steps=heated, items=(skill.id,), chain_position=1, **rooms,
                info={"brought": {"heat": {"source": HEAT, "episode": "run/rooms/0"}}, "used": ["heat"]}),
    ]  # fmt: skip


def make_remembering_run(folder: Path) -> Path:
    """A run folder with the chains, and with an episode that was shown items of the memory beside it: an insight, a
    skill that it called, a tool that answered it, and one that nobody has any more."""
    folder.mkdir(parents=True)
    asked = {"required": ["thing"], "type": "object", "properties": {"thing": {}}}
    check = Check(rung="unit", source="assert True")
    with Library(folder / "memory-house.db") as library:
        insight = keep(library)
        cool = Code(runtime="actions", entry="cool", source="open fridge 1\ncool {thing} with fridge 1", params=asked)
        skill = Item(kind="skill", title="Cool a thing", code=cool, checks=(check,))
        where = Code(runtime="mcp", entry="where", source="def where(thing): return 'here'", params=asked)
        tool = Item(kind="skill", title="Where things are", code=where, checks=(check,))
        for item in (skill, tool):
            library.propose(item)
    asides = [['call where(thing="egg 1")', 'where answers: "here"']]
    call = {"skill": skill.id, "call": 'call cool(thing="egg 1")', "asides": asides}
    steps = (
        Step(observation="a room", action="open fridge 1", info=call),
        Step(observation="a fridge", action="cool egg 1 with fridge 1", info={"skill": skill.id}),
    )
    shown = (insight.id, skill.id, tool.id, "0" * 16)
    with EpisodeStore(folder / "episodes.db") as store:
        store.append([*chained(), episode("run/sampled", steps=steps, items=shown)])
    return folder

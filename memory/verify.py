"""The admission ladder: static, unit, replay, contrast, trial; each rung cheaper than the next, each result an event.

* static and unit: `selfgym.memory.skills.static` and `selfgym.memory.skills.unit`.
* replay (agent skill induction, arXiv 2504.06821): the task it was learned from, with the skill: it must succeed, and
  the skill must have been called.
* contrast (SkillGen, arXiv 2605.10999): the same held-out tasks with and without; repairs against regressions.
* trial: `selfgym.memory.credit` withholds it from some episodes by lot.

Playing needs an agent, which this room knows nothing of: `Play` is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb

from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.sandbox import Sandbox
from selfgym.memory.gate import NotAdmittedError, admit
from selfgym.memory.item import Check, Item, Kind
from selfgym.memory.library import Library, Status
from selfgym.memory.schema import SHOWABLE
from selfgym.memory.skills import static, unit

REPLACED = "replaced by"
"""Begins the reason why an item was retired that another took the place of."""
MOST_DOUBT = 0.1
"""One-sided sign test below which a contrast is proof enough to skip the trial."""
LEAST_PAIRS = 6
_ORDER = ("unit", "replay", "contrast")


@dataclass(frozen=True, slots=True)
class Trial:
    """How one task went."""

    seed: int
    outcome: Outcome
    steps: int
    episode: str
    """The id of the logged episode."""
    used: bool = False
    """Whether the skill was called."""


Play = Callable[[Check, Sequence[Item]], Sequence[Trial]]
"""(a check with environment and seeds, the items to show) -> a trial for each seed, in order."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rung said."""

    rung: str
    passed: bool | None
    """None where too much was lost to errors to say."""
    why: str = ""
    proof: bool = False
    """A contrast that makes a trial unnecessary."""


def climb(library: Library, id: str, *, sandbox: Sandbox | None = None, play: Play | None = None) -> Status:
    """Take a candidate up the ladder as far as its checks go; where it stands afterwards.

    ``rejected`` at the first rung that fails, ``active`` after a contrast that leaves no doubt, else ``trial``;
    still ``candidate`` where errors decided nothing, or a tainted item is not borne out yet. Raises `ValueError` where
    a check needs a sandbox or an agent and there is none.
    """
    item = library.get(id)
    verdicts = []
    for verdict in _rungs(library, item, sandbox, play):
        value = None if verdict.passed is None else float(verdict.passed)
        library.log(id, "verified", value=value, note=f"{verdict.rung}: {verdict.why}".rstrip(": "))
        verdicts.append(verdict)
        if verdict.passed is False:
            library.move(id, Status.REJECTED, f"{verdict.rung}: {verdict.why}")
            return Status.REJECTED
        if verdict.passed is None:
            return library.standing(id).status
    proven = any(verdict.proof for verdict in verdicts)
    return _enter(library, id, Status.ACTIVE if proven else Status.TRIAL)


def _enter(library: Library, id: str, status: Status) -> Status:
    try:
        admit(library, id, status, "the ladder")
    except NotAdmittedError as error:
        library.log(id, "withstood", note=str(error))
    return library.standing(id).status


def supersede(
    library: Library, old: str, new: str, *, sandbox: Sandbox | None = None, play: Play | None = None
) -> list[str]:
    """Retire ``old`` for ``new``, and check again, with ``new`` in its place, what required it; the ids of the edits.

    A dependant's edit climbs the ladder like any other; the dependant itself goes with what it required, whatever comes
    of that. Where nobody is here for its checks the edit stays a candidate.
    """
    library.move(old, Status.RETIRED, f"{REPLACED} {new}")
    made = []
    for dependant in [item for status in SHOWABLE for item in library.items(status=status, kind=Kind.SKILL)]:
        if dependant.code is None or old not in dependant.code.requires:
            continue
        requires = tuple(new if id == old else id for id in dependant.code.requires)
        edit = dependant.edit(dependant.origin, code=dependant.code.model_copy(update={"requires": requires}))
        library.propose(edit, why=f"{old} was {REPLACED} {new}")
        if can_check(edit, sandbox, play):
            climb(library, edit.id, sandbox=sandbox, play=play)
        made += [edit.id, *supersede(library, dependant.id, edit.id, sandbox=sandbox, play=play)]
    return made


def can_check(item: Item, sandbox: Sandbox | None, play: Play | None) -> bool:
    """Whether somebody is here for every check that the item has."""
    return all((sandbox if check.rung == "unit" else play) is not None for check in item.checks)


def _rungs(library: Library, item: Item, sandbox: Sandbox | None, play: Play | None) -> Iterator[Verdict]:
    """Each rung's verdict, in order; the next is only worked out when it is asked for."""
    if item.code is None:
        return
    required = [library.get(other) for other in item.code.requires]
    said = static.objections(item.code)
    yield Verdict("static", not said, " ".join(said))
    for check in sorted(item.checks, key=lambda one: _ORDER.index(one.rung)):
        if check.rung == "unit":
            if sandbox is None:
                raise ValueError(f"the unit check of {item.title!r} needs a sandbox")
            said = unit.objections(sandbox, item.code, check, [one.code for one in required if one.code])
            yield Verdict("unit", not said, " ".join(said))
            continue
        if play is None:
            raise ValueError(f"the {check.rung} of {item.title!r} needs somebody to play: give play")
        if check.rung == "replay":
            yield replayed(play(check, [*required, item]))
        else:
            yield bear_out(library, item, check, play, required)


def bear_out(library: Library, item: Item, check: Check, play: Play, required: Sequence[Item] = ()) -> Verdict:
    """Contrast an item of any kind; a task that is solved with it and not without is a witness for it, the reverse one
    against it."""
    with_it, without = play(check, [*required, item]), play(check, required)
    for one, other in zip(with_it, without, strict=True):
        if one.outcome.is_error or other.outcome.is_error:
            continue
        won, won_without = one.outcome is Outcome.SUCCESS, other.outcome is Outcome.SUCCESS
        if won != won_without:
            what = "corroborated" if won else "contradicted"
            library.log(item.id, what, episode=one.episode, note=f"{check.env}:{one.seed}")
    return contrasted(with_it, without)


def replayed(trials: Sequence[Trial]) -> Verdict:
    """Every replay must succeed and call the skill; errors decide nothing."""
    known = [trial for trial in trials if not trial.outcome.is_error]
    if not known:
        return Verdict("replay", None, "every episode was lost to an error.")
    if lost := [trial.seed for trial in known if trial.outcome is not Outcome.SUCCESS]:
        return Verdict("replay", False, f"seed {lost[0]} is not solved with it.")
    if idle := [trial.seed for trial in known if not trial.used]:
        return Verdict("replay", False, f"seed {idle[0]} is solved without it being called.")
    return Verdict("replay", True, f"{len(known)} solved with it.")


def contrasted(with_it: Sequence[Trial], without: Sequence[Trial]) -> Verdict:
    """Repairs against regressions on the same tasks.

    Proof: more repairs than regressions over at least `LEAST_PAIRS` pairs and a one-sided sign test below `MOST_DOUBT`.
    More regressions than repairs fail. In between it may be tried.
    """
    pairs = [
        (one, other)
        for one, other in zip(with_it, without, strict=True)
        if not one.outcome.is_error and not other.outcome.is_error
    ]
    if not pairs:
        return Verdict("contrast", None, "every pair was lost to an error.")
    won = [(one.outcome is Outcome.SUCCESS, other.outcome is Outcome.SUCCESS) for one, other in pairs]
    repairs, regressions = won.count((True, False)), won.count((False, True))
    doubt = sign_test(repairs, regressions)
    said = f"{repairs} repairs, {regressions} regressions in {len(pairs)} pairs (p = {doubt:.3f})."
    proof = len(pairs) >= LEAST_PAIRS and repairs > regressions and doubt < MOST_DOUBT
    return Verdict("contrast", repairs >= regressions, said, proof)


def sign_test(better: int, worse: int) -> float:
    """The chance of at least so many better ones if a coin decided each difference.

    >>> sign_test(4, 0), sign_test(0, 0)
    (0.0625, 1.0)
    """
    number = better + worse
    return float(sum(comb(number, k) for k in range(better, number + 1)) / 2**number)

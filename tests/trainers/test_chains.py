"""Chains: what is taken along, what counts as a skill, and the rewards of the paper."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from selfgym.agents.agent import Decision
from selfgym.agents.clerk import ClerkAgent
from selfgym.agents.policies.nano import make_nano
from selfgym.agents.policies.transformers import TransformersPolicy
from selfgym.agents.remembering import Recall, RememberingAgent
from selfgym.agents.skill_writing import skills_in
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.memory.episode import Episode, Step
from selfgym.memory.store import EpisodeStore
from selfgym.trainers.carrying import Functions, Sequences, carrying
from selfgym.trainers.chains import ChainConfig, chain_of, chain_rewards, gathered, play_chains, positions, whole_chains
from selfgym.trainers.evolve import evolve
from selfgym.trainers.groups import GroupConfig, group_rows
from selfgym.trainers.metrics import goal_completion, summarise
from selfgym.trainers.playing import demonstrator
from selfgym.trainers.presets import preset
from selfgym.trainers.recipe import find_recipe
from selfgym.trainers.skill_search import Written, fitting
from selfgym.trainers.stage import EvolveConfig, Stage, held_out_tasks, task_seed

SKILL = "def tidy(day):\n    found = apis.mail.search(day=day)\n    return found"
TRIVIAL = "def send(text):\n    apis.mail.send(text=text)"


def episode(*actions, won=True, used=(), position=0, sample=0, error=False):
    steps = tuple(
        Step(observation="", action=action, response_ids=(5, 6), prompt_ids=(1, 2), fresh=n == 0)
        for n, action in enumerate(actions)
    )
    outcome = Outcome.ENV_ERROR if error else Outcome.SUCCESS if won else Outcome.FAILURE
    return Episode(
        id=f"{sample}/{position}", env="selfgym/Apps-v0", task="t", steps=steps, outcome=outcome,
        group=f"task {position}", chain=f"chain {sample}", chain_position=position, info={"used": list(used)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "used", "rewards"),
    [
        (True, True, ["tidy"], [2.0, 2.0]),
        (True, True, [], [1.0, 1.0]),
        (True, False, ["tidy"], [1.0, 0.0]),
        (False, True, ["tidy"], [0.0, 2.0]),
        (False, False, ["tidy"], [0.0, 0.0]),
    ],
)
def test_rewards_are_those_of_the_paper(first, second, used, rewards):
    chain = [episode(SKILL, "tidy(1)", won=first), episode("tidy(2)", won=second, used=used, position=1)]
    assert chain_rewards(chain, ChainConfig()) == rewards
    outcomes = [float(first), float(second)]
    assert chain_rewards(chain, ChainConfig(reward="outcome")) == outcomes
    assert chain_rewards(chain, ChainConfig(reward="chain")) == [one + (first and second) for one in outcomes]


def test_another_name_for_a_call_is_no_skill():
    chain = [episode(TRIVIAL, "send('a')"), episode("send('b')", used=["send"], position=1)]
    assert chain_rewards(chain, ChainConfig()) == [1.0, 1.0]
    assert chain_rewards(chain, ChainConfig(size=1)) == [2.0, 2.0]


def test_what_is_written_and_called_is_read_off_the_code():
    played = episode(f"x = 1\n{SKILL}", "this is no code", "for day in (1, 2):\n    print(tidy(day))")
    assert list(Functions().written(played)) == ["tidy"]
    assert "apis.mail.search(day=day)" in Functions().written(played)["tidy"]
    assert Functions().called(played) == {"tidy", "print"}
    refused = played.model_copy(update={"steps": (played.steps[0].model_copy(update={"valid": False}),)})
    assert Functions().written(refused) == {}


def test_code_too_deep_to_be_written_out_is_no_skill_and_ends_no_run():
    deep = episode(f"def add():\n    x = 1\n    return {' + '.join('x' * 600)}", "add()")
    assert Functions().written(deep) == {}
    assert Functions().called(deep) == {"add"}


def test_each_place_of_a_chain_has_its_own_mean_and_broken_chains_are_in_none():
    chains = [
        [episode(SKILL, won=s < 2, sample=s), episode("tidy(1)", won=s == 0, used=["tidy"], position=1, sample=s)]
        for s in range(3)
    ]
    broken = [episode(SKILL, sample=3), episode("tidy(1)", position=1, sample=3, error=True)]
    half = [episode(SKILL, sample=4)]
    logged = iter([one for chain in (*chains, broken, half) for one in chain])
    whole = list(whole_chains(logged, 2))
    assert whole == chains
    found = {members[0].group: returns for members, returns in positions(whole, ChainConfig())}
    assert found == {"task 0": [2.0, 1.0, 0.0], "task 1": [2.0, 0.0, 0.0]}
    for members, returns in positions(whole, ChainConfig()):
        rows = list(group_rows(members, GroupConfig(), returns))
        assert sum(float(row.weight.max() + row.weight.min()) for row in rows) == pytest.approx(0, abs=1e-6)


@pytest.fixture(scope="module")
def sandboxes():
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")


SETTINGS = {
    "recipe": "sage", "env": "selfgym/Apps-v0", "env_options": {"level": 1, "max_steps": 4}, "words": 12,
    "held_out": {"split": "test-normal"},
    "expert": "clerk", "expert_options": {"skills": True}, "demos": 3, "tasks": 2, "unit": 2, "evaluations": 2,
    "iterations": 1, "agent": {"instruction": "", "code": True, "max_new_tokens": 8, "max_context": 900},
    "chain": {"samples": 2}, "clone": {"steps": 2, "batch_tokens": 600}, "update": {"epochs": 1, "batch_tokens": 2000},
}  # fmt: skip


@pytest.mark.usefixtures("sandboxes")
def test_functions_are_taken_along_within_a_sample_and_only_with_a_library():
    stage = Stage(EvolveConfig(**SETTINGS), Path("run"), TransformersPolicy(*make_nano(seed=0), name="nano"))
    chain = chain_of(stage, stage.task(5), 3)
    assert [task.seed for task in chain] == [15, 16, 17]
    for library in (True, False):
        config = ChainConfig(library=library)
        played = list(
            play_chains(stage, [chain], lambda task, draw: ClerkAgent(skills=True), "demo", draws=2, config=config)
        )
        assert [one.chain_position for one in played] == [0, 1, 2, 0, 1, 2]
        assert all(one.outcome is Outcome.SUCCESS for one in played)
        assert len({one.chain for one in played}) == 2
        assert [bool(one.info["used"]) for one in played] == [False, library, library] * 2
        assert chain_rewards(played[:3], ChainConfig()) == ([2.0, 2.0, 2.0] if library else [1.0, 1.0, 1.0])
        assert len(played[1].steps) == (1 if library else 2)


@pytest.mark.usefixtures("sandboxes")
def test_a_run_clones_collects_and_evaluates_in_chains(tmp_path):
    evolve(EvolveConfig(**SETTINGS), tmp_path / "run")
    with EpisodeStore(tmp_path / "run" / "episodes.db", readonly=True) as store:
        phases: dict[str, list[Episode]] = {}
        for one in store.episodes():
            phases.setdefault(one.phase, []).append(one)
    assert {phase: len(played) for phase, played in phases.items()} == {
        "demo": 3 * 2, "eval-0": 2 * 3, "group-0": 2 * 2 * 2, "eval-1": 2 * 3,
    }  # fmt: skip
    assert all(one.outcome is Outcome.SUCCESS for one in phases["demo"])
    assert sum(bool(one.info["used"]) for one in phases["demo"]) == 3
    assert {one.split for one in phases["eval-0"]} == {"test"}


def test_scenarios_count_as_done_only_whole_and_without_errors():
    chains = [
        [episode("a()", sample=0), episode("a()", sample=0, position=1)],
        [episode("a()", sample=1), episode("a()", sample=1, position=1, won=False)],
        [episode("a()", sample=2), episode("a()", sample=2, position=1, error=True)],
    ]
    told = summarise([one for chain in chains for one in chain])
    assert (told["success"], told["scenarios"]) == (0.8, 0.5)
    assert told["scenarios_low"] < 0.5 < told["scenarios_high"]
    assert "scenarios" not in summarise([chains[0][0].model_copy(update={"chain": ""})])


def test_goal_completion_counts_tasks_and_whole_scenarios():
    good, bad, broken = Outcome.SUCCESS, Outcome.FAILURE, Outcome.ENV_ERROR
    chains = ((good, good, good), (good, bad, good), (good, good, broken), (bad, Outcome.TRUNCATED))
    found = goal_completion((str(number), outcome) for number, chain in enumerate(chains) for outcome in chain)
    assert (found["tasks"], found["scenarios"], found["left_out"]) == (7 / 10, 1 / 3, 1)
    assert 0 <= found["tasks_low"] < found["tasks"] < found["tasks_high"] <= 1
    assert goal_completion([]) == {"left_out": 0}


HEAT = "skill heat(thing): go to microwave 1; heat {thing} with microwave 1"


def test_in_households_thoughts_define_sequences_of_actions():
    options = {"recipe": "sage", "env_options": {"size": "tiny", "max_steps": 30}, "expert": "skilled-expert"}
    config = EvolveConfig(**options, agent={"instruction": "", "max_context": 1500})
    stage = Stage(config, Path("run"), TransformersPolicy(*make_nano(seed=0), name="nano"))
    chains = [chain_of(stage, stage.task(seed), 2) for seed in range(3)]
    assert [chain[0].options["task_type"].split("_")[1] for chain in chains] == ["heat", "cool", "clean"]
    played = list(find_recipe("sage").demonstrate(stage, [stage.task(seed) for seed in range(3)]))
    assert [one.outcome for one in played] == [Outcome.SUCCESS] * 6
    first, second = played[:2]
    assert Sequences().written(first) == {"heat": HEAT}
    assert second.info == {"brought": {"heat": {"source": HEAT, "episode": first.id}}, "used": ["heat"]}
    assert Sequences().called(second) == {"heat"}
    assert chain_rewards(played[:2], ChainConfig()) == [2.0, 2.0]
    assert chain_rewards(played[:2], ChainConfig(size=3)) == [1.0, 1.0]
    call = next(step for step in second.steps if "call" in step.info)
    assert call.trainable
    assert call.action == "go to microwave 1"
    following = second.steps[second.steps.index(call) + 1]
    assert (following.trainable, following.action.split()[0]) == (False, "heat")


@pytest.mark.parametrize("seed", range(3))
def test_no_world_that_nano_is_evaluated_in_is_trained_in(seed):
    config = EvolveConfig(**preset("nano", "selfgym/Apps-v0", "sage"), env="selfgym/Apps-v0", seed=seed)
    assert config.held_out.get("split", "train") == "train"
    held = {task.seed for task in held_out_tasks(Stage(config, Path("run"), None))}
    assert len(held) == config.evaluations
    trained = {task_seed(seed, 0, index) for index in range(config.demos)}
    for number in range(1, config.iterations + 1):
        trained |= {task_seed(seed, number, index) for index in range(config.tasks)}
    assert len(trained) == config.demos + config.iterations * config.tasks
    assert not held & trained


def test_the_environment_says_how_skills_are_carried():
    ways = {
        "selfgym/Apps-v0": Functions, "selfgym:selfgym/Apps-v0": Functions, "selfgym/Household-v0": Sequences,
        "selfgym/AlfWorld-v0": Sequences,
    }  # fmt: skip
    assert {env: type(carrying(env)) for env in ways} == ways
    stage = Stage(EvolveConfig(env="selfgym/AlfWorld-v0"), Path("run"), None)
    assert [task.options for task in chain_of(stage, stage.task(0), 2)] == [None, None]


KNOWN = {
    "like_artist": Written("def like_artist(artist):\n    songs = apis.music.search()", "Like every song by Anna."),
    "pin_tag": Written("def pin_tag(tag):\n    notes = apis.notes.search()", 'Pin all my notes with the tag "home".'),
    "pay": Written("def pay(email):\n    apis.payments.send(email=email)", "Send 56 dollars to a@b.example."),
}


def test_a_library_is_searched_by_the_words_of_the_task():
    asked = 'Please pin my notes that have the tag "travel".'
    assert fitting(KNOWN, asked, 1) == {"pin_tag": KNOWN["pin_tag"].source}
    assert list(fitting(KNOWN, "Like the songs by Bo, and pin the notes with tag x.", 3))[-1:] != ["pay"]
    assert fitting(KNOWN, "Book a flight.", 3) == {}
    assert fitting({}, asked, 3) == {}
    alone = {"pin_tag": KNOWN["pin_tag"]}
    assert list(fitting(alone, asked, 1)) == ["pin_tag"]


@pytest.mark.usefixtures("sandboxes")
def test_held_out_apps_are_brought_what_fits_out_of_many_scenarios(tmp_path):
    settings = SETTINGS | {"demos": 11, "evaluations": 3, "iterations": 0, "held_out": {}, "first_evaluation": 999}
    evolve(EvolveConfig(**settings | {"chain": {"retrieval": "query", "most": 1}}), tmp_path / "run")
    with EpisodeStore(tmp_path / "run" / "episodes.db", readonly=True) as store:
        stage = Stage(EvolveConfig(**settings), tmp_path / "run", None, 0, store)
        known = gathered(stage, ChainConfig())
        played = list(store.episodes(phase="eval-0"))
        scenarios = [
            next(iter(carrying(one.env).written(one)))
            for one in store.episodes(
                phase="demo",
            )
            if one.chain_position == 0
        ]
    assert set(known) == set(scenarios)
    assert len(known) == 11
    brought = [list(one.info["brought"]) for one in played]
    assert brought == [[scenarios[(999 + n) % 11]] for n in range(3) for _ in range(3)]
    assert all(
        f"Defined already: {next(iter(one.info['brought']))}(" in one.steps[0].observation.replace("def ", "")
        for one in played
    )


def test_held_out_households_are_brought_what_fits_the_treatment():
    options = {"recipe": "sage", "env_options": {"size": "tiny", "max_steps": 30}, "expert": "skilled-expert"}
    config = EvolveConfig(**options, agent={"instruction": "", "max_context": 1500})
    stage = Stage(config, Path("run"), TransformersPolicy(*make_nano(seed=0), name="nano"))
    recipe = find_recipe("sage")
    shown = list(recipe.demonstrate(stage, [stage.task(seed) for seed in range(3)]))
    known = {n: Written(s, one.task) for one in shown for n, s in Sequences().written(one).items()}
    assert set(known) == {"heat", "cool", "clean"}
    chains = [chain_of(stage, stage.task(seed), 2, held_out=True) for seed in range(6)]
    query = ChainConfig(retrieval="query", most=1)
    expert = partial(demonstrator, stage)
    played = list(play_chains(stage, chains, expert, "eval", config=query, known=known))
    assert [one.outcome for one in played] == [Outcome.SUCCESS] * 12
    first = [
        (list(one.info["brought"]), verb) for one, verb in zip(played[::2], ["heat", "cool", "clean"] * 2, strict=True)
    ]
    assert all(brought in ([], [verb]) for brought, verb in first)  # none where "a hot egg" is asked: other words
    assert sum(map(bool, (brought for brought, _ in first))) >= 4


def test_a_skill_that_is_written_anew_takes_the_place_of_the_old():
    assert list(skills_in(f"it is cold: {HEAT}")) == ["heat"]
    wrong = (
        "skill heat(thing): heat {it}",
        "skill heat(thing):",
        "heat(thing): a",
        "skill Heat(x): {x}",
        "skill \u202eh(): a",
    )
    assert [skills_in(one) for one in wrong] == [{}] * len(wrong)
    agent = RememberingAgent(Script(f"Thought: {HEAT}"), lambda goal, id: Recall(), episode="e", writes=True)
    agent.begin(None)
    for thought in (HEAT, HEAT.replace("microwave", "stove")):
        agent.agent.thought = thought
        with pytest.raises(StopIteration):
            next(agent.act("", {"task": "t"}))
    agent.agent.says = 'call heat(thing="egg 1")'
    with pytest.raises(StopIteration) as stopped:
        next(agent.act("", {"task": "t"}))
    assert stopped.value.value.action == "go to stove 1"


class Script:
    """Says one thing, and thinks another."""

    def __init__(self, thought):
        self.thought, self.says = thought, "look"

    def act(self, observation, info):
        return Decision(self.says, self.thought)

"""What every registered selfgym environment must do, whatever it is about.

A new environment is picked up by its registration. Give it an entry in `SETTINGS` if it needs arguments, and one in
`_ready` if it needs something that may be missing. SELFGYM_EVERY_ID=1 takes the ids of single tasks too.
"""

import base64
import gc
import hashlib
import json
import os
import pickle
import random
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

import cloudpickle
import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import selfgym  # noqa: F401  (registers the ids)
from selfgym.cli.adapters import PACKAGES, adapter_needs
from selfgym.cli.browsers import web_needs
from selfgym.envs.checking import RULES
from selfgym.envs.core import Outcome, SnapshotError
from selfgym.envs.random_play import choose, play
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.envs.web.idle import close_idle

SINGLE = "selfgym/MiniWoB-"  # and the name of a task; there are 133, and two stand for all unless all are asked for
SAMPLES = {"selfgym/MiniWoB-v0", "selfgym/MiniWoB-email-inbox-v0", "selfgym/MiniWoB-use-autocomplete-v0"}
EVERY = bool(os.environ.get("SELFGYM_EVERY_ID"))
IDS = sorted(
    name
    for name in gymnasium.registry
    if name.startswith("selfgym/") and (EVERY or not name.startswith(SINGLE) or name in SAMPLES)
)
SAME_EVERY_TIME = {  # pages whose text does not show the seed: places on a picture, or a number to be guessed
    *("ascending-numbers", "bisect-angle", "chase-circle", "circle-center", "click-button-sequence", "click-test"),
    *("click-test-2", "click-test-transfer", "count-sides", "drag-box", "draw-circle", "find-midpoint", "focus-text"),
    *("guess-number", "hot-cold", "moving-items", "right-angle", "simon-says"),
}
SETTINGS = {
    "selfgym/AlfWorld-v0": {"split": "valid_seen", "max_steps": 30},
    # small functions to write: making repairs of packages would need these downloaded, and takes seconds
    "selfgym/Code-v0": {"problems": str(Path(__file__).with_name("code_tasks.jsonl")), "max_steps": 30},
    "selfgym/BrowserGym-v0": {"task": "browsergym/miniwob.click-button"},
    "selfgym/Gymnasium-v0": {"env": "Taxi-v4", "max_steps": 30},
    "selfgym/BabyAI-v0": {"max_steps": 30},
    "selfgym/ScienceWorld-v0": {"simplifications": "easy", "max_steps": 30},
    "selfgym/TextWorld-v0": {"games": str(Path(tempfile.gettempdir(), "selfgym-textworld-games")), "max_steps": 30},
    "selfgym/Household-v0": {"max_steps": 30},
    "selfgym/GEM-v0": {"env": "game:Sudoku-v0-easy", "max_steps": 20},
    "selfgym/PettingZoo-v0": {"env": "classic/texas_holdem-v4", "max_steps": 20},
    "selfgym/TextArena-v0": {"env": "FrozenLake-v0-random", "max_steps": 60},
    "selfgym/Web-v0": {"admissible_commands": True, "max_steps": 12, "max_tokens": 2000},
    "selfgym/MiniWoB-v0": {
        "task": ["click-button", "login-user", "click-tab-2", "click-checkboxes"],
        "admissible_commands": True,
    },
}
EXCEPT = {  # what other people's packages do not keep
    ("selfgym/ScienceWorld-v0", "test_possible_actions_are_no_errors"): "its list of valid commands has some that it "
    "does not understand itself, such as 'move bowl to cup containing blue paint in cupboard'",
}
ELSEWHERE = {"selfgym/GEM-v0": "gem", "selfgym/PettingZoo-v0": "pettingzoo", "selfgym/TextArena-v0": "textarena"}
GAMES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "alfworld" / "games.tar.xz"


@pytest.fixture(scope="session")
def alfworld_data(tmp_path_factory):
    """The folder with ALFWorld's games, set as $ALFWORLD_DATA; the test is skipped where there are none."""
    if not GAMES.exists():
        pytest.skip(f"ALFWorld's games are not at {GAMES}")
    folder = tmp_path_factory.mktemp("alfworld")
    with tarfile.open(GAMES) as archive:
        wanted = [member for member in archive if "/valid_seen/" in member.name and member.isfile()]
        archive.extractall(folder, members=wanted, filter="data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALFWORLD_DATA", str(folder))
        yield folder


@pytest.fixture(scope="session")
def textworld_games():
    """The folder with games made by TextWorld's generator; kept for the next time, as each takes seconds."""
    from selfgym.envs.adapters.textworld import TextWorldEnv

    folder = Path(SETTINGS["selfgym/TextWorld-v0"]["games"])
    for seed in range(20):
        TextWorldEnv(rooms=2, objects=3, quest_length=2, folder=str(folder / "made")).reset(seed=seed)
    for path in folder.glob("made/*/*.*"):
        (folder / path.name).write_bytes(path.read_bytes())


@pytest.fixture(scope="session")
def sandboxes():
    """The test is skipped where no sandbox can be opened."""
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")


@pytest.fixture(scope="session")
def browser():
    """The test is skipped where no Chromium can be started."""
    if needs := web_needs():
        pytest.skip(f"NO BROWSER: {needs}")


def settings_of(name):
    """The arguments with which an environment is tested."""
    if name == "selfgym/OpenEnv-v0":
        return {"base_url": os.environ["SELFGYM_OPENENV_LOCK"], "max_steps": 20}
    return SETTINGS.get(name, {"admissible_commands": True} if name.startswith(SINGLE) else {})


def _ready(request, name):
    if name == "selfgym/AlfWorld-v0":
        request.getfixturevalue("alfworld_data")
    if name in ("selfgym/Apps-v0", "selfgym/Code-v0"):
        request.getfixturevalue("sandboxes")
    if name == "selfgym/BrowserGym-v0" and find_spec("browsergym") is None:
        pytest.skip("BrowserGym is not installed here: it wants an environment of its own; see test_browsergym.py")
    if name == "selfgym/OpenEnv-v0":
        request.getfixturevalue("openenv_lock")
    if name in ELSEWHERE and find_spec(ELSEWHERE[name]) is None:
        pytest.skip(
            f"{ELSEWHERE[name]} is not installed here: tests/envs/adapters/test_elsewhere.py runs this where it is"
        )
    if name in PACKAGES and (needs := adapter_needs(name)):
        pytest.skip(f"{name} CANNOT BE MADE HERE: {needs}")
    if name == "selfgym/TextWorld-v0":
        request.getfixturevalue("textworld_games")
    if name == "selfgym/Desktop-v0":
        request.getfixturevalue("desktop")
    if name.startswith(("selfgym/Web-", SINGLE)):
        request.getfixturevalue("browser")


@pytest.fixture(params=IDS)
def name(request):
    """The id of each environment that can be made here."""
    _ready(request, request.param)
    if reason := EXCEPT.get((request.param, request.node.originalname)):
        pytest.skip(f"{request.param}: {reason}")
    return request.param


@pytest.fixture
def make(name):
    """Makes environments of this id, and closes them."""
    made = []

    def make_one(**more):
        made.append(gymnasium.make(name, **settings_of(name) | more))
        return made[-1].unwrapped

    yield make_one
    for env in made:
        env.close()


@pytest.fixture
def shared(make):
    """One environment for all examples of hypothesis: each begins with a reset."""
    return make()


@pytest.fixture
def begun(shared):
    """A snapshot two steps into an episode."""
    play(shared, 2, random.Random(1), shared.reset(seed=1))
    return shared.snapshot()


def trace_digest(name, seed):
    """A hash of all that an episode shows, its snapshots included; run in other processes too."""
    env = gymnasium.make(name, **settings_of(name)).unwrapped
    rng, digest = random.Random(seed), hashlib.sha256()
    observation, info = env.reset(seed=seed)
    env.action_space.seed(seed)
    for _ in range(25):
        digest.update(json.dumps([observation, info], default=repr).encode("utf-8", "surrogatepass"))
        digest.update(env.snapshot() + env.state_key().encode())
        action = choose(env, info, rng)
        observation, reward, terminated, truncated, info = env.step(action)
        digest.update(repr((action, reward, terminated, truncated)).encode("utf-8", "surrogatepass"))
        if terminated or truncated:
            break
    env.close()
    return digest.hexdigest()


def test_both_households_are_registered():
    assert {"selfgym/Household-v0", "selfgym/AlfWorld-v0"} <= set(IDS)


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
def test_the_rules_for_everybody_are_kept(make, check):
    check(make)


def test_the_same_seed_gives_the_same_bytes_in_any_process(name, tmp_path):
    script = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"
    script += f"import test_envs; print(*(test_envs.trace_digest({name!r}, seed) for seed in (0, 7)))"
    environment = os.environ | {"PYTHONHASHSEED": "4711"}  # this process has a random one
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr
    told = [trace_digest(name, seed) for seed in (0, 7)]
    assert done.stdout.split() == told
    assert len(set(told)) == 2


def test_another_seed_gives_another_task(make, name):
    env = make()
    begun = {env.reset(seed=seed)[0] for seed in range(20)}
    more = {env.reset()[0] for _ in range(10)}
    if name.startswith(SINGLE) and name != f"{SINGLE}v0":  # some pages know but a few tasks
        page = name.removeprefix(SINGLE).removesuffix("-v0")
        assert len(begun) >= (1 if page in SAME_EVERY_TIME else 2)
        return
    assert len(begun) >= 18
    assert len(more) > 5


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_snapshot_raises_nothing_but_snapshot_errors(shared, begun, data):
    env, damaged = shared, bytearray(begun)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        observation, info = env.restore(bytes(damaged))
    except SnapshotError:
        env.reset(seed=1)
    else:
        assert observation in env.observation_space
        assert isinstance(info["outcome"], Outcome)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | st.integers(), inner, max_size=4),
    max_leaves=10,
)
WORDS = st.lists(
    st.sampled_from(["go", "to", "take", "open", "fridge", "mug", "1", "from", "in/on", "look", "help", "{", "}", "\n"])
)
ACTIONS = st.one_of(
    ANY_TEXT,
    WORDS.map(" ".join),
    ANYTHING,
    st.fixed_dictionaries({"name": st.sampled_from(["go_to", "take", "look"]) | ANYTHING, "arguments": ANYTHING}),
    ANYTHING.map(lambda data: json.dumps(data, default=repr)),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, min_size=1, max_size=6), seed=st.integers(0, 5))
def test_no_action_whatever_raises(shared, actions, seed):
    env = shared
    observation, info = env.reset(seed=seed)
    for action in actions:
        known = info.get("admissible_commands", ())
        before = env.state_key()
        observation, reward, terminated, truncated, info = env.step(action)
        assert observation in env.observation_space
        assert isinstance(reward, float)
        assert not terminated
        assert not truncated
        if isinstance(action, str) and action.strip() in known:
            assert info["action_error"] is None
        if isinstance(action, str) and not action.lstrip().startswith(("{", "[")) and action.strip() not in known:
            assert isinstance(info["action_error"], str)
        if info["action_error"] is not None:
            assert env.state_key() == before


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_go_on_after_an_episodes_end(name, mode):
    arguments = settings_of(name)
    envs = gymnasium.make_vec(name, num_envs=2, vectorization_mode=mode, **arguments)
    try:
        assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        envs.action_space.seed(1)
        observations, _ = envs.reset(seed=[11, 12])
        singles = [gymnasium.make(name, **arguments) for _ in range(2)]
        ended, resets = [False, False], 0
        assert list(observations) == [env.reset(seed=11 + at)[0] for at, env in enumerate(singles)]
        for _ in range(80):
            actions = envs.action_space.sample()
            observations, rewards, terminated, truncated, infos = envs.step(actions)
            for at, env in enumerate(singles):
                if ended[at]:
                    observation, info = env.reset()
                    expected, ended[at], resets = (observation, 0.0, False, False, info), False, resets + 1
                else:
                    expected = env.step(actions[at])
                    ended[at] = expected[2] or expected[3]
                found = (observations[at], rewards[at], terminated[at], truncated[at])
                assert found == expected[:4]
                assert infos["outcome"][at] == expected[4]["outcome"]
                assert infos["task"][at] == expected[4]["task"]
        assert resets >= 2
        for env in singles:
            env.close()
    finally:
        envs.close()


def open_handles():
    gc.collect()
    return sorted(os.listdir("/proc/self/fd")), Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="handles are counted in /proc, which is not here")
def test_close_releases_handles_and_processes(name):
    close_idle()  # web pages that wait for an environment of another kind would make room at some point

    def use():
        env = gymnasium.make(name, **settings_of(name))
        play(env.unwrapped, 5, random.Random(1), env.reset(seed=1))
        env.close()
        env.close()

    use()
    before = open_handles()
    for _ in range(5):
        use()
    assert open_handles() == before


def test_specs_survive_pickle_cloudpickle_and_json(name, make):
    env = make()
    spec = env.spec
    assert spec.id == name
    expected = play(env, 10, random.Random(4), env.reset(seed=4))
    copies = [
        pickle.loads(pickle.dumps(spec)),
        cloudpickle.loads(cloudpickle.dumps(spec)),
        EnvSpec.from_json(spec.to_json()),
    ]
    for copy in copies:
        again = gymnasium.make(copy).unwrapped
        assert play(again, 10, random.Random(4), again.reset(seed=4)) == expected
        again.close()
    maker = cloudpickle.dumps(lambda: gymnasium.make(spec))
    script = f"import base64, cloudpickle; env = cloudpickle.loads(base64.b64decode({base64.b64encode(maker)!r}))();"
    script += "print(ascii(env.reset(seed=4)[0]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == ascii(expected[0][0]), done.stderr


def test_an_environment_can_be_made_without_importing_selfgym(name, tmp_path):
    script = "import sys, gymnasium; assert 'selfgym' not in sys.modules\n"
    script += f"env = gymnasium.make('selfgym:{name}', **{settings_of(name)!r})\n"
    script += "assert 'torch' not in sys.modules; env.reset(seed=1); env.close(); print('made')"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "made\n", done.stderr

"""MiniWoB++: which tasks there are, what an episode is worth, how time counts, and that nothing is left of the last."""

from __future__ import annotations

import gymnasium
import pytest

import selfgym  # noqa: F401  (registers the ids)
from selfgym.envs.web.idle import close_idle
from selfgym.envs.web.miniwob.names import FLIGHTS, PAGES
from selfgym.envs.web.miniwob.pages import folder, path_of

from .conftest import number_of


@pytest.fixture
def make(browser):
    made = []

    def one(task, **options):
        made.append(gymnasium.make("selfgym/MiniWoB-v0", task=task, **options).unwrapped)
        return made[-1]

    yield one
    for env in made:
        env.close()


def button_of(env):
    """The number of the button that the goal of click-button quotes, and of one that it does not."""
    wanted = env.task.goal.split('"')[1]
    right = number_of(env, wanted, "button")
    wrong = next(
        (one["number"] for one in env.look.elements if one["role"] == "button" and one["name"] != wanted), None
    )
    return right, wrong


def seed_with_a_wrong_button(env):
    return next(seed for seed in range(20) if env.reset(seed=seed) and button_of(env)[1])


def test_the_names_are_those_of_the_package():
    assert sorted(path.stem for path in (folder() / "miniwob").glob("*.html")) == list(PAGES)
    assert all((folder() / path_of(task).lstrip("/")).exists() for task in (*PAGES, *FLIGHTS))
    assert len(PAGES) == 130


def test_every_task_has_an_id(make):
    ids = {f"selfgym/MiniWoB-{task}-v0" for task in (*PAGES, *FLIGHTS)}
    assert ids <= gymnasium.registry.keys()
    env = gymnasium.make("selfgym/MiniWoB-focus-text-v0").unwrapped
    assert env.reset(seed=1)[1]["task_id"] == "miniwob/focus-text/1"
    env.close()


def test_unknown_names_get_the_nearest():
    with pytest.raises(ValueError, match=r"no task .click-buton.\. Did you mean 'click-button'"):
        gymnasium.make("selfgym/MiniWoB-v0", task="click-buton")


def test_several_tasks_are_drawn_by_the_seed(make):
    env = make("click-button,enter-text")
    drawn = [env.reset(seed=seed)[1]["task_id"].split("/")[1] for seed in range(12)]
    assert set(drawn) == {"click-button", "enter-text"}
    assert [env.reset(seed=seed)[1]["task_id"].split("/")[1] for seed in range(12)] == drawn


@pytest.mark.parametrize(("reward", "won", "lost"), [("success", 1.0, 0.0), ("raw", 1.0, -1.0)])
def test_the_reward_is_what_was_chosen(make, reward, won, lost):
    env = make("click-button", reward=reward)
    seed = seed_with_a_wrong_button(env)
    for which, expected, outcome in ((0, won, "success"), (1, lost, "failure")):
        env.reset(seed=seed)
        _, got, terminated, _, info = env.step(f"click({button_of(env)[which]})")
        assert (got, terminated, info["outcome"]) == (expected, True, outcome)


def test_the_original_reward_falls_with_the_pages_time(make):
    env = make("click-button", reward="original", time_limit="original")
    got = []
    for wait in (0, 2000, 2000):
        env.reset(seed=3)
        if wait:
            env.step(f"noop({wait})")
        got.append(env.step(f"click({button_of(env)[0]})")[1])
    assert 0.9 < got[0] < 1.0
    assert got[0] - got[1] == pytest.approx(0.2, abs=0.01)
    assert got[1] == got[2]


def test_the_time_limit_of_the_page_ends_the_episode(make):
    env = make("click-button", time_limit="original")
    env.reset(seed=3)
    *_, terminated, _, info = env.step("noop(11000)")
    assert (terminated, info["outcome"], info["reason"]) == (True, "failure", "timed out")
    env = make("click-button")
    env.reset(seed=3)
    assert env.step("noop(60000)")[4]["outcome"] == "running"


def test_splits_have_nothing_in_common(make):
    texts = {split: make("enter-text", split=split).reset(seed=5)[0] for split in ("train", "valid", "test", None)}
    assert len(set(texts.values())) == 4


def test_an_episode_begins_inside_the_page_and_shows_nothing_of_the_last(make):
    env, fresh = make("login-user"), make("login-user")
    env.reset(seed=1)
    page = env.session.tab
    env.step(f'fill({env.look.elements[0]["number"]}, "left over")')
    observation, _ = env.reset(seed=2)
    assert env.session.tab is page
    assert observation == fresh.reset(seed=2)[0]
    assert "left over" not in observation


def test_the_page_cannot_lead_away(make):
    env = make("click-button")
    env.reset(seed=3)
    for url in ("http://example.org/", "http://127.0.0.1/", "http://localhost:80/"):
        assert "does not allow" in env.step(f"goto({url!r})")[4]["action_error"]


@pytest.mark.parametrize(
    ("task", "action"),
    [("use-colorwheel", "click(1)"), ("flight.Alaska", "noop(500)"), ("click-menu", "click(2)")],
)
def test_what_an_episode_opened_or_loaded_is_gone_in_the_next(make, task, action):
    close_idle()  # the first episode has a session of its own
    env = make(task)
    first, _ = env.reset(seed=1)
    then = env.step(action)[0]
    for _ in range(2):
        assert env.reset(seed=1)[0] == first
        assert env.step(action)[0] == then


def test_where_an_episode_went_is_no_place_to_go_back_to_in_the_next(make):
    close_idle()
    env = make("search-engine")
    wanted = env.reset(seed=0)[1]["task"].split('"')[1]
    fresh = env.state_key()
    env.step(f'fill({number_of(env, "", "textbox")}, "{wanted}")')
    env.step(f"click({number_of(env, 'Search', 'button')})")
    link = next(one["number"] for one in env.look.elements if one["role"] == "link")
    env.step(f"click({link})")
    session = env.session
    for _ in range(2):
        env.reset(seed=0)
        assert env.session is session
        assert env.look.url.endswith("/search-engine.html")
        assert env.state_key() == fresh
        assert "no page to go back to" in env.step("go_back()")[4]["action_error"]

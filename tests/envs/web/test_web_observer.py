"""What is seen of a page: elements, names, states, frames, shadow roots, budgets, pictures; and how its clock runs."""

from __future__ import annotations

import asyncio
import json
import threading

import gymnasium
import numpy as np
import pytest

from selfgym.envs.web.background import run
from selfgym.envs.web.tab import Tab

from .conftest import number_of


def line_of(observation, name):
    """The line of the element that is called so."""
    return next(line for line in observation.splitlines() if line.startswith("[") and f'"{name}"' in line)


def test_names_follow_the_accessible_name_rules(visit):
    _, text = visit(
        """<label for=a>By label</label><input id=a><label>Wrapped <input></label>
        <span id=s1>First</span> <span id=s2>second</span><input aria-labelledby="s1 s2">
        <input aria-label="By aria" title=no><input title="By title"><input placeholder="By placeholder">
        <button><img alt="By image" src=x></button><input type=submit><a href=/x>By <b>content</b></a>"""
    )
    for name in ("By label", "Wrapped", "First second", "By aria", "By title", "By placeholder", "submit"):
        assert f'"{name}"' in text
    assert 'button "By image"' in text
    assert 'link "By content"' in text


def test_roles_states_and_values(visit):
    _, text = visit(
        """<input type=checkbox aria-label=Tick checked><input type=radio aria-label=Pick>
        <button aria-expanded=false aria-label=More></button><div role=tab aria-selected=true tabindex=0>Tab</div>
        <input type=password aria-label=Secret value=hunter2><textarea aria-label=Long>{}</textarea>
        <details><summary>Fold</summary>inside</details><input required aria-label=Must>""".format("x" * 2000)
    )
    assert 'checkbox "Tick" (checked)' in text
    assert 'radio "Pick" (unchecked)' in text
    assert 'button "More" (collapsed)' in text
    assert 'tab "Tab" (selected)' in text
    assert "hunter2" not in text
    assert '"Secret" = "•••••••"' in text
    assert len(line_of(text, "Long")) < 500
    assert 'button "Fold" (collapsed)' in text
    assert "(required)" in line_of(text, "Must")


def test_what_cannot_be_seen_is_not_told(visit):
    _, text = visit(
        """<p style="display:none">ghost 1</p><p style="visibility:hidden">ghost 2</p><p style="opacity:0">x</p>
        <button style="display:none">ghost 3</button><script>"ghost 4"</script><template>ghost 5</template>
        <p hidden>ghost 6</p><button style="position:absolute;top:5000px">Far</button><p>shown</p>"""
    )
    assert "ghost" not in text
    assert "shown" in text
    assert '"Far" (offscreen)' in text


def test_listeners_make_things_clickable(visit):
    _, text = visit(
        """<div id=a>By listener</div><div id=b>By property</div><div onclick="1">By attribute</div>
        <div style="cursor:pointer">By cursor</div><div>Not at all</div>
        <script>a.addEventListener("click", () => 1); b.onclick = () => 1;</script>"""
    )
    for name in ("By listener", "By property", "By attribute", "By cursor"):
        assert f'clickable "{name}"' in text
    assert "\nNot at all" in text


def test_frames_and_shadow_roots_are_read_and_acted_on(visit):
    inner = "<button onclick=\"this.textContent='Pressed inside'\">Inside</button>"
    page = """<iframe src=/inner style="margin:30px"></iframe><div id=open></div><div id=closed></div><script>
    for (const mode of ["open", "closed"]) {
      const root = document.getElementById(mode).attachShadow({mode});
      root.innerHTML = `<button>Shadow ${mode}</button>`;
      root.querySelector("button").onclick = (event) => { event.target.textContent = `Did ${mode}`; };
    }</script>"""
    env, text = visit({"/": page, "/inner": inner})
    assert 'button "Inside"' in text
    for name, after in (
        ("Inside", "Pressed inside"), ("Shadow open", "Did open"), ("Shadow closed", "Did closed")
    ):  # fmt: skip
        text, *_ = env.step(f"click({number_of(env, name)})")
        assert f'button "{after}"' in text


def test_frames_of_other_origins_are_read_and_acted_on(visit):
    inner = """<p>foreign words</p><button onclick="this.textContent='Pressed there'">There</button>
    <input aria-label=Field><button disabled>Off</button>"""
    page = "<p>before</p><iframe src=http://other.test/inner style='margin:40px'></iframe><button>Here</button>"
    env, text = visit({"/": page, "/inner": inner}, hosts=("other.test",))
    assert "foreign words" in text
    there = number_of(env, "There")
    assert f'[{there}] button "There"' in text
    assert there > number_of(env, "Here")
    text, *_ = env.step(f"click({there})")
    assert 'button "Pressed there"' in text
    text, *_ = env.step(f'fill({number_of(env, "Field")}, "typed")')
    assert '"Field" = "typed"' in text
    assert "is disabled" in env.step(f"click({number_of(env, 'Off')})")[4]["action_error"]


def test_numbers_stay_with_their_elements(visit):
    page = "<button onclick=\"document.body.prepend(document.createElement('input'))\">Add</button><a href=#>Link</a>"
    env, _ = visit(page)
    add, link = number_of(env, "Add"), number_of(env, "Link")
    env.step(f"click({add})")
    assert (number_of(env, "Add"), number_of(env, "Link")) == (add, link)
    assert len(env.look.elements) == 3


def test_budgets_cut_and_say_so(visit):
    many = "".join(f"<p>word {n}</p><a href=#{n}>link {n}</a>" for n in range(2000))
    env, text = visit(many, max_tokens=500)
    assert len(text) < 3000
    assert "(not everything is shown: too much text" in text
    _, *_, info = env.step("noop(0)")
    assert {"text", "elements"} <= set(info["truncated_observation"])
    env, text = visit("<div>" * 150 + "deep" + "</div>" * 150 + "<p>flat</p>", depth=50)
    assert "deep" not in text
    assert "flat" in text
    assert env.look.truncated == ["depth"]


def test_all_parts_lie_in_the_space(visit):
    parts = ("text", "elements", "axtree", "html", "screenshot", "marks")
    env, observation = visit("<h1>Title</h1><button>Go</button><canvas width=50 height=50></canvas>", observe=parts)
    assert observation in env.observation_space
    assert isinstance(env.observation_space, gymnasium.spaces.Dict)
    [button, canvas] = json.loads(observation["elements"])
    assert (button["role"], button["name"], canvas["role"]) == ("button", "Go", "canvas")
    assert "heading 'Title'" in observation["axtree"]
    assert "<canvas" in observation["html"]
    left, top, width, height = button["box"]
    here = (slice(top, top + height), slice(left, left + width))
    assert observation["screenshot"][here].std() > 0
    assert (observation["screenshot"] != observation["marks"])[here].any()
    assert env.screenshot().startswith(b"\x89PNG")


def test_unknown_parts_are_refused():
    with pytest.raises(ValueError, match="no part 'picture'"):
        gymnasium.make("selfgym/Web-v0", url="http://page.test/", observe=("picture",))


CLOCK = """<p id=p></p><script>const begun = Date.now(); let ticks = 0;
const tell = () => { p.textContent = `${++ticks} ticks, ${Date.now() - begun} ms, ${new Date(begun).toISOString()}`; };
setInterval(tell, 100);
</script>"""


def test_the_clock_only_moves_with_actions(visit):
    env, _ = visit(CLOCK)
    seen = [env.step("noop(1000)")[0] for _ in range(3)]
    threading.Event().wait(0.3)  # thinking costs nothing
    seen.append(env.step("noop(1000)")[0])
    ticks = [int(text.split(" ticks")[0].split()[-1]) for text in seen]
    assert np.diff(ticks).tolist() == [10, 10, 10]
    assert "2026-03-02T09:00:0" in seen[0]
    env.reset(seed=0)
    assert [env.step("noop(1000)")[0] for _ in range(4)] == seen


def test_a_real_clock_is_an_option(visit):
    env, _ = visit(CLOCK, clock="real")
    assert "2026-03-02" not in env.step("noop(300)")[0]


def test_slow_answers_are_waited_for_while_the_clock_stands(visit):
    page = "<p id=p>waiting</p><script>fetch('/slow').then((a) => a.text()).then((t) => p.append(t));</script>"
    env, text = visit({"/": page, "/slow": "it came"})
    assert "it came" in text
    assert env.step("noop(0)")[4]["settled"] == "quiet"


def test_random_numbers_follow_from_the_seed(visit):
    env, first = visit("<p id=p></p><script>p.textContent = Math.random();</script>")
    assert env.reset(seed=0)[0] == first
    assert env.reset(seed=1)[0] != first


def test_nothing_of_an_episode_is_left_in_the_next(visit):
    page = """<p id=p></p><script>p.textContent = `${document.cookie}|${localStorage.length}`;
    document.cookie = "a=1"; localStorage.b = 2;</script>"""
    env, first = visit(page)
    assert "|0" in first
    assert env.reset(seed=0)[0] == first


def test_it_works_inside_a_running_loop_and_in_threads(visit):
    env, first = visit("<button>Go</button>")

    async def inside():
        blocking = env.reset(seed=0)[0]
        awaited, _ = await asyncio.wrap_future(env.start("reset", seed=0))
        return blocking, awaited

    assert asyncio.run(inside()) == (first, first)
    told = []
    thread = threading.Thread(target=lambda: told.append(env.reset(seed=0)[0]))
    thread.start()
    thread.join()
    assert told == [first]


def test_a_page_that_missed_a_frame_may_be_left_alone_for_as_long_as_anybody_thinks(visit, monkeypatch):
    env, _ = visit("<button>Go</button>")

    async def missed():
        async def before_it_was_asked_for():
            pass

        await env._session.tab._drawing(before_it_was_asked_for)
        await asyncio.sleep(0.6)

    monkeypatch.setattr(Tab.guard, "__defaults__", (0.3,))  # what any answer may take, in seconds
    run(missed())
    monkeypatch.undo()
    *_, info = env.step("click(1)")
    assert info["outcome"] == "running"

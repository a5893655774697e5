"""`selfgym run`, `episodes`, `export` and `import`: one store, from playing to somebody else's format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfgym.cli import main
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import probe
from selfgym.memory.store import EpisodeStore

HOUSE = ["--option", "size=tiny"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "episodes.db"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_what_an_expert_plays_is_logged_and_won(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(
        capsys, "run", "--agent", "expert", *HOUSE, "--episodes", "5", "--seed", "3", "--store", str(store), "--json"
    )
    summary = json.loads(out)
    assert (summary["episodes"], summary["success"], summary["errors"]) == (5, 1.0, 0.0)
    with EpisodeStore(store, readonly=True) as opened:
        episodes = list(opened.episodes(run=summary["run"]))
    assert [episode.seed for episode in episodes] == [3, 4, 5, 6, 7]
    assert all(episode.outcome is Outcome.SUCCESS and episode.env_options == {"size": "tiny"} for episode in episodes)


def test_the_same_seeds_give_the_same_episodes(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for parallel in (["1"], ["7"], ["2", "--processes"]):
        said(
            capsys, "run", "--agent", "random", *HOUSE, "--episodes", "7", "--max-steps", "5",
            "--store", str(store), "--parallel", *parallel,
        )  # fmt: skip
    with EpisodeStore(store, readonly=True) as opened:
        assert opened.runs() == ["random-1", "random-2", "random-3"]
        alone, wide, elsewhere = (
            {episode.seed: [step.action for step in episode.steps] for episode in opened.episodes(run=run)}
            for run in opened.runs()
        )
    assert alone == wide == elsewhere


def test_a_named_run_plays_only_what_is_missing(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["run", "--agent", "random", *HOUSE, "--max-steps", "3", "--store", str(store), "--run", "mine", "--json"]
    said(capsys, *command, "--episodes", "2")
    with EpisodeStore(store, readonly=True) as opened:
        first = list(opened.episodes())
    assert json.loads(said(capsys, *command, "--episodes", "4"))["episodes"] == 4
    with EpisodeStore(store, readonly=True) as opened:
        assert list(opened.episodes())[:2] == first  # not played again: even the time is the old one
        assert len(opened) == 4


def test_a_language_model_plays_with_its_tokens_logged(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="language models need selfgym[train]")
    said(
        capsys, "run", "--agent", "react", "--model", "nano", *HOUSE, "--episodes", "2", "--max-steps", "2",
        "--temperature", "0.5", "--agent-option", "restrict=true", "--store", str(store), "--quiet",
    )  # fmt: skip
    with EpisodeStore(store, readonly=True) as opened:
        steps = [step for episode in opened.episodes() for step in episode.steps]
    assert len(steps) == 4
    assert all(step.response_ids and len(step.logprobs) == len(step.response_ids) and step.valid for step in steps)


@pytest.mark.parametrize("elsewhere", [[], ["--processes"]])
def test_an_environment_that_holds_a_sandbox(
    elsewhere: list[str], store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    try:
        probe()
    except SandboxUnavailable as error:
        pytest.skip(f"no sandbox on this machine: {error}")
    record = {
        "task_id": "Mine/0", "prompt": "def double(x):\n", "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(4) == 8\n", "entry_point": "double",
    }  # fmt: skip
    (tmp_path / "mine.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "doubler.py").write_text(
        "import json\n"
        "class Doubler:\n"
        "    def __init__(self, seed):\n        self.calls = ['list'] * seed + ['write', 'submit']\n"
        "    def act(self, observation, info):\n"
        "        name = self.calls.pop(0)\n"
        "        text = {'path': 'solution.py', 'content': 'def double(x):\\n    return x + x\\n'}\n"
        "        return json.dumps({'name': name, 'arguments': text if name == 'write' else {}})\n"
    )
    monkeypatch.chdir(tmp_path)
    said(
        capsys, "run", "--env", "selfgym/Code-v0", "--agent", "doubler:Doubler", "--episodes", "4", "--max-steps", "4",
        "--option", f"problems={tmp_path / 'mine.jsonl'}", "--store", str(store), "--parallel", "2", *elsewhere,
    )  # fmt: skip
    with EpisodeStore(store, readonly=True) as opened:
        episodes = list(opened.episodes())
    assert [episode.outcome for episode in episodes] == [Outcome.SUCCESS] * 3 + [Outcome.TRUNCATED]
    assert [len(episode.steps) for episode in episodes] == [2, 3, 4, 4]
    assert all(step.valid for episode in episodes for step in episode.steps)
    assert episodes[0].task.count("\n") > 1
    listed = said(capsys, "episodes", str(store)).splitlines()
    assert len(listed) == 1 + len(episodes)  # a task of many lines takes one


def test_an_agent_in_a_file_here_is_found(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "homemade.py").write_text(
        "class Looker:\n    def act(self, observation, info):\n        return 'look'\n"
    )
    monkeypatch.chdir(tmp_path)
    said(
        capsys,
        "run",
        "--agent",
        "homemade:Looker",
        *HOUSE,
        "--episodes",
        "1",
        "--max-steps",
        "2",
        "--store",
        str(store),
    )
    with EpisodeStore(store, readonly=True) as opened:
        assert [step.action for step in next(opened.episodes()).steps] == ["look", "look"]


def test_a_failing_agent_ends_its_own_episode(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking.py").write_text(
        "class Breaking:\n"
        "    def __init__(self, seed):\n        self.seed = seed\n"
        "    def act(self, observation, info):\n"
        "        if self.seed == 1:\n            raise RuntimeError('out of ideas')\n"
        "        return 'look'\n"
    )
    monkeypatch.chdir(tmp_path)
    out = said(
        capsys,
        "run",
        "--agent",
        "breaking:Breaking",
        *HOUSE,
        "--episodes",
        "3",
        "--max-steps",
        "2",
        "--store",
        str(store),
    )
    assert "33.3% lost to errors" in out
    assert "out of ideas" in out
    with EpisodeStore(store, readonly=True) as opened:
        assert opened.count(outcome="policy_error") == 1
        assert opened.count(outcome="truncated") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--agent", "expret"], "Did you mean 'expert'?"),
        (["--agent", "react"], "give --model"),
        (["--agent", "expert", "--agent-option", "kindness=1"], "no option 'kindness'"),
        (["--env", "selfgym/Household-v1"], "selfgym/Household-v0"),
        (["--agent", "expert", "--option", "size=vast"], "vast"),
        (["--agent", "expert", "--screenshots"], "Household-v0 can give no screenshots: it has no screen"),
    ],
)
def test_what_cannot_run_is_one_line(
    arguments: list[str], words: str, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments, "--store", str(store)]) == 1
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1
    assert not store.exists()


def test_a_store_is_listed_read_exported_and_imported(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(
        capsys, "run", "--agent", "expert", *HOUSE, "--episodes", "3", "--store", str(store), "--run", "mine", "--quiet"
    )
    listed = json.loads(said(capsys, "episodes", str(store), "--json"))
    assert [line["id"] for line in listed] == ["mine/0", "mine/1", "mine/2"]
    assert "2 more" in said(capsys, "episodes", str(store), "--limit", "1")
    shown = said(capsys, "episodes", str(store), "--show", "mine/1")
    assert shown.startswith("mine/1: selfgym/Household-v0 seed 1, expert")
    assert shown.endswith("success, total reward 1\n")

    out = tmp_path / "out.jsonl"
    assert "3 episodes written" in said(capsys, "export", str(store), "--out", str(out), "--outcome", "success")
    other = tmp_path / "other.db"
    assert "3 new episodes" in said(capsys, "import", str(out), "--store", str(other))
    assert "0 new episodes" in said(capsys, "import", str(out), "--store", str(other))
    with EpisodeStore(store, readonly=True) as one, EpisodeStore(other, readonly=True) as two:
        assert list(one.episodes()) == list(two.episodes())


def test_the_formats_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    formats = {one["name"]: one for one in json.loads(said(capsys, "export", "--formats", "--json"))}
    assert {"jsonl", "parquet", "sharegpt", "messages", "atif"} <= {
        name for name, one in formats.items() if one["export"]
    }
    assert {"jsonl", "atif", "alfworld", "agentgym"} <= {name for name, one in formats.items() if one["import"]}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["episodes", "nowhere.db"], 1, "nowhere.db"),
        (["export", "nowhere.db", "--out", "x.jsonl"], 1, "nowhere.db"),
        (["export"], 2, "--out"),
        (["import", "nowhere.jsonl", "--store", "x.db"], 1, "nowhere.jsonl"),
        (["import", "nowhere.jsonl", "--store", "x.db", "--format", "jsonll"], 1, "Did you mean 'jsonl'?"),
    ],
)
def test_what_is_not_there_is_one_line(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    caught = capsys.readouterr()
    assert words in caught.err
    assert caught.err.count("\n") == 1

"""The study of SAGE: every arm is played with and without a library, and the report comes from the episodes."""

import json
import sys

import pytest

from selfgym.benchmarks.learning import sage as study
from selfgym.envs.core import Outcome
from selfgym.envs.sandbox.limits import SandboxUnavailable
from selfgym.envs.sandbox.opening import open_sandbox
from selfgym.memory.episode import Episode, Step

SETTINGS = (
    'env_options={"scenario": "pin_tag,like_artist", "max_steps": 3, "explain": false}', "words=4", "demos=2",
    "tasks=1", "unit=2", "evaluations=1", "iterations=1", "workers=1", "clone.steps=2",
    "chain.samples=2", "agent.max_new_tokens=8",
)  # fmt: skip


def played(position, *, won=True, error=False, used=(), sample=0, tokens=4):
    outcome = Outcome.ENV_ERROR if error else Outcome.SUCCESS if won else Outcome.FAILURE
    steps = (Step(observation="", action="a", response_ids=tuple(range(tokens))),) * 2
    return Episode(
        id=f"{sample}/{position}", env="selfgym/Apps-v0", task="t", task_id=f"{sample}.{position}", steps=steps,
        outcome=outcome, chain=f"run/{sample}", chain_position=position, info={"used": list(used)},
    )  # fmt: skip


def test_measures_leave_out_errors_and_count_what_was_done_apart():
    episodes = [
        *(played(0), played(1, used=["f"], tokens=1)),
        *(played(0, sample=1), played(1, sample=1, won=False)),
        *(played(0, sample=2), played(1, sample=2, error=True)),
    ]
    assert study.values(episodes, "scenarios") == {"0.0": 1.0, "1.0": 0.0}
    assert study.values(episodes, "tasks") == {"0.0": 1.0, "0.1": 1.0, "1.0": 1.0, "1.1": 0.0, "2.0": 1.0}
    assert study.values(episodes, "tokens_done") == {"0.0": 8.0, "0.1": 2.0, "1.0": 8.0, "2.0": 8.0}
    assert sum(study.values(episodes, "used").values()) == 1
    gap = study.interval([study.values(episodes, "steps")] * 2, None, 0.01)
    assert gap == {"mean": 2.0, "low": 2.0, "high": 2.0}
    assert study.interval([{"a": 1.0}], [{"b": 1.0}], 1.0) is None


def test_arms_share_a_start_and_are_evaluated_both_ways(tmp_path):
    try:
        open_sandbox().close()
    except SandboxUnavailable as error:
        pytest.skip(f"NO SANDBOX: {error}")
    command = ["sage", "--seeds", "1", "--retrieval", "query", "--out", str(tmp_path), "--results", str(tmp_path / "r")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [*command, *(part for pair in SETTINGS for part in ("--set", pair))])
        study.main()
    arms = (*study.ARMS, study.CONTROL)
    starts = {(tmp_path / "seed-0" / arm / "run/checkpoints/0/model.safetensors").read_bytes() for arm in arms}
    assert len(starts) == 1
    [path] = (tmp_path / "r").iterdir()
    result = json.loads(path.read_text())
    for arm in ("untrained", "start", *arms):
        for way in ("on",) if arm == "untrained" else study.WAYS:
            assert result["rows"][f"{arm}, library {way}"]["episodes"] == 3
    known = study.load(tmp_path, 0, "sage", "eval-query-1")
    own = study.load(tmp_path, 0, "sage", "eval-on-1")
    assert [one.task_id for one in known] == [one.task_id for one in own]
    assert all(one.info["brought"] for one in known)
    assert not any(one.info["brought"] for one in own if one.chain_position == 0)
    assert not any(one.info["brought"] for one in study.load(tmp_path, 0, "sage", "eval-off-1"))
    assert {one.split for one in known} == {"test"}
    trained = {one.seed for one in study.load(tmp_path, 0, "sage", "group-0") + study.load(tmp_path, 0, "sage", "demo")}
    assert not trained & {one.seed for one in own}

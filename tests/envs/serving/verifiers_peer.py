"""Plays episodes by verifiers, under the Python that has it, and prints what its traces say as JSON.

The model is a server on this machine that speaks OpenAI's chat completions and answers by a rule: it stands for a model
that cannot be had here. Rollouts, traces, scoring and retries are verifiers' own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import gymnasium

from selfgym.envs.core import AgentEnv

MARK = "Possible actions: "


class Model(BaseHTTPRequestHandler):
    """Answers with the first action that it is offered; with nonsense where it is offered none."""

    asked: list[list[dict[str, Any]]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Model.asked.append(body["messages"])
        text = str(body["messages"][-1]["content"])
        said = text.partition(MARK)[2].partition("; ")[0] or "nonsense"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        if body.get("stream"):
            head = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
            delta = {"index": 0, "delta": {"role": "assistant", "content": said}, "finish_reason": None}
            last = {"index": 0, "delta": {}, "finish_reason": "stop"}
            chunks = [
                {**head, "choices": [delta]},
                {**head, "choices": [last]},
                {**head, "choices": [], "usage": usage},
            ]
            answer = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
            whole = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage}
            answer = json.dumps({**whole, "choices": [choice]})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if body.get("stream") else "application/json")
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *words: Any) -> None:
        pass


async def play(address: str, env: str, seed: int, number: int, **options: Any) -> list[Any]:
    """Episodes of as many tasks."""
    import verifiers.v1 as vf

    from selfgym.envs.serving.verifiers_taskset import SelfgymEnvConfig

    taskset = {"id": "a-taskset", "env": env, "options": options, "first_seed": seed}
    world = vf.load_environment(SelfgymEnvConfig.model_validate({"taskset": taskset}))
    os.environ["NO_KEY"] = "none"
    client = vf.EvalClientConfig(base_url=f"{address}/v1", api_key_var="NO_KEY")
    context = vf.ModelContext(client=client, model="rule")
    found = []
    async with world.serving():
        for task in itertools.islice(iter(world.taskset), number):
            [slot] = world.slots(task)
            episode = await world.run_slot(slot, context)
            found.append(
                {
                    "ok": episode.ok,
                    "errors": [error.message for error in episode.errors],
                    "task": task.data.model_dump(include={"id", "seed", "system_prompt"}),
                    "traces": [
                        {
                            "reward": trace.reward,
                            "rewards": {name: value.value for name, value in trace.rewards.items()},
                            "metrics": dict(trace.metrics),
                            "outcome": trace.info.get("outcome"),
                        }
                        for trace in episode.traces
                    ],
                    "talk": Model.asked[-1] if Model.asked else [],
                }
            )
            Model.asked.clear()
    return found


class Fragile(AgentEnv[str]):
    """Falls over at the first step."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        return "ready", {"outcome": "running", "task": "stand", "action_error": None}

    def step(self, action: Any) -> Any:
        raise OSError("the sandbox is gone")

    def snapshot(self) -> bytes:
        return b""

    def restore(self, snapshot: bytes) -> tuple[str, dict[str, Any]]:
        raise NotImplementedError


def tools_told() -> str:
    """The system prompt of an environment with tools."""
    from selfgym.envs.serving.verifiers_taskset import SelfgymConfig, SelfgymTaskset

    config = SelfgymConfig(id="a-taskset", env="selfgym/MiniDesktop-v0", first_seed=5)
    first = next(iter(SelfgymTaskset(config)))
    assert first.data.seed == 5
    return str(first.data.system_prompt)


MODULE = """from selfgym.envs.serving.verifiers_taskset import SelfgymEnv, SelfgymTaskset

__all__ = ["SelfgymEnv", "SelfgymTaskset"]
"""


def main() -> dict[str, Any]:
    folder = tempfile.mkdtemp()
    Path(folder, "a_taskset.py").write_text(MODULE)
    sys.path.insert(0, folder)
    gymnasium.register("peer/Fragile-v0", Fragile, order_enforce=False, disable_env_checker=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    played = asyncio.run(play(address, "selfgym/TicTacToe-v0", 3, 2))
    failed = asyncio.run(play(address, "peer/Fragile-v0", 0, 1))
    server.shutdown()
    return {"game": played, "fragile": failed, "tools": tools_told()}


if __name__ == "__main__":
    print("\n" + json.dumps(main()), file=sys.stdout)

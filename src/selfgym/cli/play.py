"""``selfgym play``: a person plays an environment in the terminal."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import CommandError, did_you_mean, parse_options
from selfgym.cli.listing import env_ids

if TYPE_CHECKING:
    from selfgym.envs.core import AgentEnv
    from selfgym.envs.tools import ToolSet

EnvOptions = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", metavar="NAME=VALUE", help="A keyword argument of the environment; repeatable."),
]


def play(
    env: Annotated[str, typer.Argument(metavar="ENV", help="An environment's id; `selfgym envs` lists them.")],
    seed: Annotated[int | None, typer.Option(help="Of the task; without it, a new one each time.")] = None,
    option: EnvOptions = None,
) -> None:
    """Play an environment yourself.

    Answer with the number of a command or with its words; [bold]undo[/] takes a step back, [bold]quit[/] leaves.
    Where actions are tool calls, answer with a tool and its arguments, as in a shell, or with the call as JSON.

    Examples:

      selfgym play selfgym/Household-v0 --seed 7

      echo look | selfgym play selfgym/Household-v0 --seed 7

      echo 'read README.md 1 20' | selfgym play selfgym/Code-v0 --seed 7
    """
    world = make_env(env, parse_options(option or []))
    try:
        _Game(world, seed).run()
    finally:
        world.close()


def make_env(name: str, options: dict[str, Any]) -> AgentEnv[Any]:
    """Make an environment by its id. Raises `CommandError` with the nearest id."""
    import gymnasium

    from selfgym.envs.core import AgentEnv

    if name not in (known := env_ids()):
        raise CommandError(f"no environment is called {name!r}.{did_you_mean(name, known)} `selfgym envs` lists them")
    try:
        env = gymnasium.make(name, **options).unwrapped
    except TypeError as error:
        what = str(error).partition(" was raised from")[0]  # Gymnasium adds where it called the environment
        raise CommandError(f"{name} does not take these options: {what}") from error
    if not isinstance(env, AgentEnv):
        raise CommandError(f"{name} is not an AgentEnv: it has no snapshot and no task in words")
    return env


class _Game:
    """One sitting: where it stands, and the snapshots to go back to."""

    def __init__(self, env: AgentEnv[Any], seed: int | None) -> None:
        self.env = env
        self.tools: ToolSet | None = getattr(env, "tools", None)
        self.observation, self.info = env.reset(seed=seed)
        self.past: list[bytes] = []
        self.rewards: list[float] = []

    def run(self) -> None:
        if not str(self.observation).startswith((self.info["task"], f"Task: {self.info['task']}")):
            print(f"Task: {self.info['task']}\n")
        while True:
            print(self.observation)
            if self.info.get("action_error") not in (None, self.observation):
                print(f"({self.info['action_error']})")
            if self.info["outcome"] != "running":
                print(f"\n{self.info['outcome']} after {len(self.past)} steps, total reward {sum(self.rewards):g}")
                return
            answer = self._ask()
            if answer is None:
                print(f"\nleft after {len(self.past)} steps")
                return
            if answer == "undo":
                self._undo()
            else:
                self._step(answer)

    def _ask(self) -> str | None:
        """What the person wants: an action, ``undo``, or None to leave."""
        commands = list(self.info.get("admissible_commands", ()))
        for number, command in enumerate(commands, 1):
            print(f"  {number:3d}  {command}")
        while True:
            print("> ", end="", flush=True)
            line = sys.stdin.readline()
            answer = line.strip()
            if not line or answer == "quit":
                return None
            if not sys.stdin.isatty():
                print(answer)  # a piped game reads like a played one
            if commands and answer.isdecimal():
                if 1 <= int(answer) <= len(commands):
                    return str(commands[int(answer) - 1])
                print(f"there is no command {answer}; numbers go from 1 to {len(commands)}")
            elif answer and answer != "undo" and self.tools is not None:
                call, wrong = typed_call(self.tools, answer)
                if not wrong:
                    return call
                print(wrong)
            elif answer:
                return answer

    def _step(self, action: str) -> None:
        self.past.append(self.env.snapshot())
        self.observation, reward, _, _, self.info = self.env.step(action)
        self.rewards.append(float(reward))
        print()

    def _undo(self) -> None:
        if not self.past:
            print("\nnothing to undo\n")
            return
        self.observation, self.info = self.env.restore(self.past.pop())
        self.rewards.pop()
        print("\nback:\n")


def typed_call(tools: ToolSet, line: str) -> tuple[str, str]:
    """The tool call that a person typed, as JSON, and what is wrong with it if something is.

    JSON is taken as it is, and so is a call such as ``click(3)``. Else the line is a tool's name and its arguments in
    order, in the words of a shell; all the rest of it is the argument of a tool that has only one.

    >>> from selfgym.envs.code.tools import CODE_TOOLS
    >>> typed_call(CODE_TOOLS, "shell ls | wc -l")
    ('{"name": "shell", "arguments": {"command": "ls | wc -l"}}', '')
    >>> typed_call(CODE_TOOLS, "read 'my file.py' 10")
    ('{"name": "read", "arguments": {"path": "my file.py", "start": "10"}}', '')
    """
    if re.match(r"\{|\w+\(", line):
        return line, ""
    name, _, rest = line.partition(" ")
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        return "", f"there is no tool {name!r}; there are: {', '.join(tool.signature() for tool in tools)}"
    names = list(tool.openai_schema()["function"]["parameters"]["properties"])
    try:
        words = [rest] * bool(rest) if len(names) == 1 else shlex.split(rest)
    except ValueError as error:
        return "", f"{line!r} cannot be taken apart: {error}"
    if len(words) > len(names):
        return "", f"too many words for {tool.signature()}; put quotes around an argument of several words"
    return json.dumps({"name": name, "arguments": dict(zip(names, words, strict=False))}), ""

"""``selfgym play``: a person plays an environment in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfgym.cli.console import CommandError, did_you_mean, parse_options
from selfgym.cli.listing import env_ids

if TYPE_CHECKING:
    from selfgym.envs.core import AgentEnv

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

    Examples:

      selfgym play selfgym/Household-v0 --seed 7

      echo look | selfgym play selfgym/Household-v0 --seed 7
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
        self.observation, self.info = env.reset(seed=seed)
        self.past: list[bytes] = []
        self.rewards: list[float] = []

    def run(self) -> None:
        print(f"Task: {self.info['task']}\n")
        while True:
            print(self.observation)
            if self.info.get("action_error"):
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
            if answer.isdecimal():
                if 1 <= int(answer) <= len(commands):
                    return str(commands[int(answer) - 1])
                print(f"there is no command {answer}; numbers go from 1 to {len(commands)}")
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

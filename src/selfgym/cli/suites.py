"""``selfgym bench SUITE``, ``selfgym bench check``, ``selfgym bench compare``, ``selfgym leaderboard``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from selfgym.cli.console import (
    AsJson,
    CommandError,
    OnRay,
    Quiet,
    did_you_mean,
    parse_options,
    print_json,
    print_table,
    progress_bar,
)
from selfgym.cli.run import AgentOptions, look_here_for, policy_of

if TYPE_CHECKING:
    from selfgym.benchmarks.leaderboard.playing import Entrant
    from selfgym.benchmarks.leaderboard.result import Result, Summary
    from selfgym.benchmarks.leaderboard.running import Plan
    from selfgym.benchmarks.leaderboard.suite import Part, Suite

ResultFolder = Annotated[Path, typer.Argument(metavar="RESULT", help="A folder with results.json and its episodes.")]


class SuiteGroup(TyperGroup):
    """Commands, and the name of every suite: ``selfgym bench quick ...`` is ``selfgym bench run quick ...``."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of a first word, which may be a suite's name or file."""
        from selfgym.benchmarks.leaderboard.suite import suite_names

        word = args[0]
        if word not in self.commands:
            known = suite_names()
            if word not in known and not word.endswith(".toml"):
                hint = did_you_mean(word, (*known, *self.commands))
                raise typer.BadParameter(f"there is no command or suite {word!r}.{hint}")
            args = ["run", *args]
        return super().resolve_command(ctx, args)


def suites(json: AsJson = False) -> None:
    """List the suites: what they hold, and what of it can be played here."""
    from selfgym.benchmarks.leaderboard.suite import find_suite, suite_names

    rows = [
        (suite.name, part.name, part.env, str(part.seeds.count), _missing(part) or "nothing")
        for suite in map(find_suite, suite_names())
        for part in suite.parts
    ]
    columns = ("suite", "part", "environment", "tasks", "missing here")
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)


def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A name from `selfgym bench suites`, or a .toml file.")],
    agent: Annotated[str, typer.Option(help="A name from `selfgym agents`, or module:Class.")],
    model: Annotated[
        str | None, typer.Option(help="For agents that ask one: nano, smollm2, a folder, a .gguf file or a hub id.")
    ] = None,
    agent_option: AgentOptions = None,
    workers: Annotated[int, typer.Option(min=1, help="Episodes at once, in processes of their own.")] = 1,
    ray: OnRay = False,
    samples: Annotated[int, typer.Option(min=1, help="Tries at each task, for pass@k.")] = 1,
    fresh: Annotated[
        str, typer.Option(metavar="DRAW", help="Play tasks drawn by this word instead of the suite's own.")
    ] = "",
    method: Annotated[
        str | None, typer.Option(help="Give the agent a memory: one of the methods of docs/methods.md.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="With --method: the memory is used and extended while practising, too.")
    ] = False,
    prices: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="PROMPT RESPONSE", help="US dollars for a million prompt and response tokens."),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Do not play the random agent and the scripted expert beside it.")
    ] = False,
    out: Annotated[Path, typer.Option(help="A folder of results; each gets a folder in it.")] = Path("runs/bench"),
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Play a suite and write the result; the same command again plays only what is missing.

    A random agent and the scripted expert of each part are played beside the agent, once for all that follow.

    Examples:

      selfgym bench quick --agent my_package:MyAgent --workers 2

      selfgym bench household --agent react --model smollm2 -a restrict=true --samples 4

      selfgym bench household --agent my_package:MyAgent --fresh "drawn on 2026-11-28"
    """
    from selfgym.agents.cluster import connected
    from selfgym.benchmarks.leaderboard.playing import Entrant, check_entrant
    from selfgym.benchmarks.leaderboard.suite import find_suite

    if online and not method:
        raise CommandError("--online is a way to learn: give --method too")
    if ray and method:
        raise CommandError("an agent with a memory learns from what it plays, in this process: --ray is for others")
    chosen = find_suite(suite)
    _need_pyarrow()
    look_here_for(agent)
    entrant = Entrant(agent, parse_options(agent_option or []), model or "")
    policy = policy_of(model)
    check_entrant(entrant, chosen, policy)  # before anybody else plays for minutes
    mine = _planned(chosen, entrant, samples, fresh, method, online)
    ends = [] if alone else list(_ends(chosen, entrant, fresh))
    with connected() if ray else nullcontext(), progress_bar(quiet=quiet or json) as progress:
        results = [_run(plan, out, progress, workers=workers, ray=ray) for plan in ends]
        results.append(_run(mine, out, progress, policy=policy, workers=workers, ray=ray, prices=prices))
    if json:
        print_json(results[-1].model_dump(mode="json") | {"folder": str(out / mine.run)})
        return
    _show(results)
    if not quiet:
        print(f"Written to {out / mine.run}; a page of all results: selfgym leaderboard {out} --out leaderboard.html")


def _planned(chosen: Suite, one: Entrant, samples: int, fresh: str, method: str | None, online: bool) -> Plan:
    from selfgym.agents.methods.method import find_method
    from selfgym.benchmarks.leaderboard.remembering import Remembering
    from selfgym.benchmarks.leaderboard.running import Plan

    if method:
        find_method(method)
    how = Remembering(method, "online" if online else "frozen") if method else None
    return Plan(chosen, one, one.source(chosen), samples, fresh, how)


def _ends(chosen: Suite, entrant: Entrant, fresh: str) -> Iterator[Plan]:
    """The floor and, where a suite has experts, the ceiling, unless they are who is measured."""
    from selfgym.benchmarks.leaderboard.playing import EXPERT, RANDOM, Entrant
    from selfgym.benchmarks.leaderboard.running import Plan

    for agent in (RANDOM, EXPERT):
        one = Entrant(agent)
        if one != entrant and any(one.agent_of(part)[0] for part in chosen.parts):
            yield Plan(chosen, one, one.source(chosen), fresh=fresh)


def _run(plan: Plan, out: Path, progress: Any, **how: Any) -> Result:
    from selfgym.benchmarks.leaderboard.running import run_suite

    result = run_suite(plan, out / plan.run, _missing, progress, **how)
    for one in result.left_out:
        print(f"LEFT OUT for {result.name}: {one.part}: {one.reason}", file=sys.stderr)
    return result


def _need_pyarrow() -> None:
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        raise CommandError("a result holds its episodes as Parquet, which needs pyarrow: pip install 'selfgym[bench]'")


def _missing(part: Part) -> str:
    from selfgym.cli.listing import missing

    return missing(part.env)


def _show(results: list[Result]) -> None:
    rows = [(*_row(result.name, result.total), result.ranked) for result in results]
    columns = ("agent", "success", "95%", "steps", "tokens", "calls", "seconds", "errors", "")
    print_table(columns, rows)
    mine = results[-1]
    print()
    print_table(("part", *columns[1:-1]), [_row(name, told) for name, told in mine.parts.items()])
    if mine.total.pass_at:
        print("\n" + ", ".join(f"pass@{k} {100 * share:.1f}%" for k, share in mine.total.pass_at.items()))
    for error in sorted({" ".join(line.error.split()) for line in mine.lines if line.error})[:3]:
        print(f"an error: {error[:200]}")


def _row(name: str, told: Summary) -> tuple[str, ...]:
    def number(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    tokens = None if told.prompt_tokens is None else told.prompt_tokens + (told.response_tokens or 0.0)
    return (
        name, "-" if told.success is None else f"{100 * told.success:.1f}%",
        f"{100 * told.low:.1f} to {100 * told.high:.1f}", number(told.steps, ".1f"),
        number(tokens, ".0f"), number(told.calls, ".1f") if told.model_calls else "no model",
        number(told.seconds, ".2f"), f"{100 * told.errors:.1f}%",
    )  # fmt: skip


def check(
    folders: Annotated[list[Path], typer.Argument(metavar="RESULT...", help="Folders with results.json.")],
    replay: Annotated[int, typer.Option(min=0, help="Take the actions of so many episodes again.")] = 0,
) -> None:
    """Say whether results can stand on a leaderboard; at the first that cannot, exit with 1 and the reason.

    The suite must be known and unchanged, every episode be there, every number follow from them, and nothing that was
    shown be learned on a test task.
    """
    from selfgym.benchmarks.leaderboard.checking import checked, replayed

    for folder in folders:
        result, episodes = checked(folder)
        again = replayed(episodes, replay)
        print(f"{folder} is sound: {result.name} in {result.tasks}, {len(episodes)} episodes, {again} played again")
        if result.ranked:
            print(f"It will be shown without a rank: {result.ranked}")


def compare(first: ResultFolder, second: ResultFolder, json: AsJson = False) -> None:
    """Compare two results of the same tasks: paired, with intervals, and in words."""
    from selfgym.benchmarks.leaderboard.checking import checked
    from selfgym.benchmarks.leaderboard.comparing import compare as compared
    from selfgym.benchmarks.leaderboard.comparing import in_words

    found = compared(checked(first), checked(second))
    print_json(found.plain()) if json else print(in_words(found))


def leaderboard(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Results, one folder each, at any depth.")],
    out: Annotated[Path, typer.Option(help="The page.")] = Path("leaderboard.html"),
) -> None:
    """Make one static page of all results in a folder; those that do not check are refused, with the reason.

    Example: [bold]selfgym leaderboard runs/bench --out leaderboard.html[/]
    """
    from selfgym.benchmarks.leaderboard.board import gathered, page

    results, refused = gathered(folder)
    if not results and not refused:
        raise CommandError(f"{folder} holds no result: play one with `selfgym bench quick --agent ...`")
    for name, reason in refused:
        print(f"REFUSED {name}: {reason}", file=sys.stderr)
    out.write_text(page(results, refused), encoding="utf-8")
    print(f"{len(results)} results, {len(refused)} refused: {out}")


def add_to(bench: typer.Typer) -> None:
    """Put these commands beside the others of ``selfgym bench``."""
    for command in (suites, run, check, compare):
        bench.command()(command)

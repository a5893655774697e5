"""The ``selfgym`` command: one file for each command or small group; nothing heavy is imported before it is needed.

Errors that a person can mend are one line on stderr: exit code 2 where the command line itself is wrong, 1 for the
rest. ``SELFGYM_DEBUG=1`` shows where an error came from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import selfgym
from selfgym.cli import (
    bench,
    doctor,
    download,
    episodes,
    evolve,
    exchange,
    listing,
    memory,
    new,
    play,
    run,
    serve,
    suites,
    view,
)

app = typer.Typer(
    name="selfgym",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("envs")(listing.envs)
app.command("agents")(listing.agents)
app.command("recipes")(listing.recipes)
app.command("play")(play.play)
app.command("run")(run.run)
app.command("episodes")(episodes.episodes)
app.command("view")(view.view)
app.command("serve")(serve.serve)
app.command("export")(exchange.export)
app.command("import")(exchange.import_)
app.command("evolve")(evolve.evolve)
app.add_typer(memory.memory, name="memory")
app.add_typer(bench.bench, name="bench")
app.command("leaderboard")(suites.leaderboard)
app.add_typer(new.new, name="new")
app.command("download")(download.download)
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """A gym in which language agents act, remember and train themselves.

    Every command explains itself with --help. A start:

      selfgym doctor                        what works on this machine

      selfgym play selfgym/Household-v0     be the agent

      selfgym evolve agent-r                a small model teaches itself
    """
    if version:
        typer.echo(selfgym.__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=given, prog_name="selfgym", standalone_mode=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again at exit
        return 1
    except Exception as error:
        if os.environ.get("SELFGYM_DEBUG"):
            raise
        if str(error) or not hasattr(error, "exit_code"):  # else it has been said: the help of a group of commands
            print(f"selfgym: {_sentence(error)}", file=sys.stderr)
        return int(getattr(error, "exit_code", 1))
    return code if isinstance(code, int) else 0


def _sentence(error: Exception) -> str:
    """The error in one line; an error that only a bug can raise is named as such."""
    say = getattr(error, "format_message", error.__str__)  # usage errors of the command-line library
    words = " ".join(say().split())
    if isinstance(error, (TypeError, AttributeError, KeyError, IndexError, AssertionError)):
        return f"unexpected {type(error).__name__}: {words} (SELFGYM_DEBUG=1 shows where)"
    return words or type(error).__name__

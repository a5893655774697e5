"""``selfgym serve``: any environment for clients of other projects, over OpenEnv or the Model Context Protocol."""

from __future__ import annotations

import inspect
import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from selfgym.cli.console import CommandError, parse_options
from selfgym.cli.play import EnvOptions, make_env


class Protocol(StrEnum):
    """What the server speaks."""

    OPENENV = "openenv"
    MCP = "mcp"


def serve(
    env: Annotated[str, typer.Argument(metavar="ENV", help="An environment's id; `selfgym envs` lists them.")],
    protocol: Annotated[Protocol, typer.Option(help="What the clients speak.")] = Protocol.OPENENV,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="0 takes a free one. Without it: 8000 for openenv, a pipe for mcp."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen at; the default answers this machine alone.")] = (
        "127.0.0.1"
    ),
    sessions: Annotated[int, typer.Option(min=1, help="Environments at once, at most.")] = 16,
    idle: Annotated[float, typer.Option(min=1, help="Seconds after which a resting session may be closed.")] = 1800,
    option: EnvOptions = None,
) -> None:
    """Serve an environment until Ctrl+C; each session has one of its own.

    With --protocol mcp and no --port, the client starts this command and talks to it over standard input and output.
    Anybody who can reach --host may play: there are no passwords.

    Examples:

      selfgym serve selfgym/Household-v0 --port 8000

      selfgym serve selfgym/Code-v0 --protocol mcp

      selfgym serve selfgym/MiniDesktop-v0 --protocol mcp --port 8001 -o observe='["tree", "pixels"]'
    """
    from gymnasium.error import DependencyNotInstalled

    from selfgym.envs.serving.session import Sessions

    options = parse_options(option or [])
    first = make_env(env, options)  # so that what is wrong with it is said before anybody asks
    about = (inspect.getdoc(type(first)) or env).partition("\n")[0]
    served = Sessions(lambda: make_env(env, options), most=sessions, idle=idle)
    try:
        if protocol is Protocol.OPENENV:
            from selfgym.envs.serving.openenv_server import make_app

            app, path = make_app(served, env, about, first), "ws"
        else:
            from selfgym.envs.serving.mcp_server import make_server, serve_pipe

            server, path = make_server(served, env, about, first), "mcp"
            if port is None:
                serve_pipe(server)
                return
            app = server.streamable_http_app(host=host)
    except DependencyNotInstalled as error:
        raise CommandError(str(error)) from error
    finally:
        first.close()
    _listen(app, host, 8000 if port is None else port, path)


def _listen(app: object, host: str, port: int, path: str) -> None:
    from selfgym.envs.serving.listening import listen

    place = f"[{host}]" if ":" in host else host

    def ready(taken: int) -> None:
        print(f"http://{place}:{taken}/{path} (Ctrl+C ends it)", file=sys.stderr, flush=True)

    try:
        listen(app, host, port, ready)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise CommandError(f"{host} port {port} cannot be had: {reason}; --port 0 takes a free one") from error

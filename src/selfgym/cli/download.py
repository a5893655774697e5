"""``selfgym download``: data that others publish, fetched when asked for and checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from selfgym.cli.console import AsJson, CommandError, Quiet, did_you_mean, print_json, progress_bar

Progress = Callable[[str, int, int], None]


def download(
    what: Annotated[
        str,
        typer.Argument(
            help="What to fetch: alfworld (the genuine games, 36 MB), code (the packages that selfgym/Code-v0 makes "
            "its tasks from, 2 MB), browser (a Chromium, where there is none), sites (the applications of "
            "selfgym/Web-v0, each in an environment of its own) or desktop (Debian's packages for selfgym/Desktop-v0)."
        ),
    ],
    to: Annotated[
        Path | None,
        typer.Option(
            help="Where to.",
            show_default="$ALFWORLD_DATA or ~/.cache/alfworld; $SELFGYM_CODE_DATA or ~/.cache/selfgym/code",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch ALFWorld's games again where they are there.")] = False,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fetch data from where its authors publish it, and check what arrived. What is there already is not fetched again.

    Examples:

      selfgym download alfworld

      selfgym download code --to /data/selfgym-code

      selfgym download browser
    """
    if what not in _KNOWN:
        raise CommandError(f"nothing is called {what!r} here.{did_you_mean(what, _KNOWN)} Known: {', '.join(_KNOWN)}")
    with progress_bar(quiet=quiet or json) as progress:
        told, sentence, advice = _KNOWN[what](to, force, progress)
    if json:
        print_json(told)
        return
    print(sentence)
    if advice and not quiet:
        print(f"Say so to the environments: {advice}")


def _alfworld(to: Path | None, force: bool, progress: Progress) -> tuple[dict[str, Any], str, str]:
    from selfgym.envs.household.download import ALFWORLD_GAMES, data_folder, download_alfworld

    show = partial(progress, "bytes")
    folder = download_alfworld(
        to, force=force, progress=lambda done, total: show(done, total or ALFWORLD_GAMES.size or done)
    )
    advice = f"export ALFWORLD_DATA={folder.resolve()}" if folder != data_folder() else ""
    return {"folder": str(folder)}, f"ALFWorld's games are in {folder}", advice


def _code(to: Path | None, force: bool, progress: Progress) -> tuple[dict[str, Any], str, str]:
    from selfgym.envs.code.packages import data_folder, fetch_all

    if force:
        raise CommandError(
            "--force has no meaning for code: an archive whose checksum is right could only be fetched as it is, and "
            "any other is fetched again without being asked for"
        )
    folder = to or data_folder()
    files = fetch_all(lambda package, done, total: progress(f"packages ({package})", done, total), folder)
    advice = f"export SELFGYM_CODE_DATA={folder.resolve()}" if folder != data_folder() else ""
    told = {"folder": str(folder), "archives": [file.name for file in files]}
    return told, f"{len(files)} packages are in {folder}", advice


def _browser(to: Path | None, force: bool, progress: Progress) -> tuple[dict[str, Any], str, str]:
    from selfgym.cli.browsers import install_browser

    _as_it_is("browser", to, force)
    progress("browser", 0, 1)
    path = install_browser()
    progress("browser", 1, 1)
    return {"browser": path}, f"the browser is {path}", ""


def _sites(to: Path | None, force: bool, progress: Progress) -> tuple[dict[str, Any], str, str]:
    from selfgym.cli.browsers import install_sites
    from selfgym.envs.web.sites.installing import sites_folder

    _as_it_is("sites", to, force)
    names = install_sites(progress)
    return {"folder": str(sites_folder()), "sites": names}, f"{len(names)} sites are in {sites_folder()}", ""


def _desktop(to: Path | None, force: bool, progress: Progress) -> tuple[dict[str, Any], str, str]:
    from selfgym.cli.desktops import install_desktop

    _as_it_is("desktop", to, force)
    progress("desktop", 0, 1)
    names = install_desktop()
    progress("desktop", 1, 1)
    return {"packages": names}, f"the desktop's {len(names)} packages are installed", ""


def _as_it_is(what: str, to: Path | None, force: bool) -> None:
    if to is not None or force:
        raise CommandError(f"--to and --force have no meaning for {what}; SELFGYM_SITES says where sites are kept")


_KNOWN = {"alfworld": _alfworld, "code": _code, "browser": _browser, "sites": _sites, "desktop": _desktop}

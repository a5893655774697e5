"""A step at the desktop of real applications beside OSWorld's in-guest server, and what screens cost, in one run.

    python benchmarks/speed/desktop_real.py --install      # once: the peer's Python packages; see below for its server
    python benchmarks/speed/desktop_real.py [--only steps,start,reset,final] [--applications mousepad,...] [--runs 12]

*steps*: the same application with the same files on a screen of the same size; one action, then a PNG of the screen
(Pillow's own settings and pictures on both sides) and **equal elements**: each that a program reports, with name, role,
states, attributes, extents, text, value and actions (desktop_payload.py). The players take turns, action by action.
OSWorld is spoken to with its own client, as `DesktopEnv.step` and `_get_obs` do: *shipped* sleeps 2 s after an action,
*no pause* does not, and then takes a picture of a screen that may not have come to rest, while ours has.
*start*: a screen with buses and window manager. *reset*: the last screen is closed, the application opened on a spare
one, and looked at (elements and pixels). *final*: the share of frames, after a reset and after each of many random
actions, that are the same 350 ms later but for a caret of up to 3 pixels.

The peer's server is not on PyPI: ``/opt/peers/osworld/server`` has to hold ``main.py`` and ``pyxcursor.py`` of
OSWorld's ``desktop_env/server`` (measured: the handlers /execute, /screenshot and /accessibility as they are in
karakuri-ai/OSWorld-JP at 96ad9a8, listening on ``$PORT``), and ``/opt/peers/osworld/wheel`` the wheel desktop-env
1.0.2, unpacked. It needs the Debian packages python3-pyatspi, python3-tk and gir1.2-atspi-2.0; a ``libreoffice`` that
prints a version and a ``gnome-screenshot`` that does nothing, in ``server/bin``, because it asks the one for its
version before each look and takes the other's presence for leave to use its fastest way; and XDG_SESSION_TYPE. There
is no virtual machine, so its time is a lower bound.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image

from selfgym.benchmarks.speed.desktop_payload import full_tree
from selfgym.benchmarks.speed.desktop_screens import FILES, OPENS, SIZE, final, reset, staged, start
from selfgym.benchmarks.speed.peer import Peer
from selfgym.envs.desktop.actions import Action, Click, Key
from selfgym.envs.desktop.real.applications import APPLICATIONS, missing
from selfgym.envs.desktop.real.stage import Stage

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
FOLDER = Path("/opt/peers/osworld")
SETTINGS = HERE.parent.parent / "envs" / "desktop" / "real" / "settings"
STEPS: tuple[tuple[Action, str], ...] = (
    (Click(640, 400), "pyautogui.click(640, 400)"),
    (Key("1"), "pyautogui.press('1')"),
    (Key("Down"), "pyautogui.press('down')"),
    (Key("2"), "pyautogui.press('2')"),
)
"""The actions of *steps*, ours and theirs."""


def their_screen(application: str) -> Peer:
    """OSWorld's server on a screen of its own with an application on it; see peers/play_osworld.py."""
    peer = Peer([str(FOLDER / "env/bin/python"), str(HERE / "peers/play_osworld.py"), str(FOLDER), str(SETTINGS)])
    command = APPLICATIONS[application].command([OPENS[application]] if application in OPENS else [])
    peer.ask("make", command=command, size=SIZE, files=FILES)
    return peer


def our_step(stage: Stage, action: Action) -> dict[str, float]:
    """Milliseconds of a step and its parts."""
    marks = [time.perf_counter()]
    stage.do(action)
    marks.append(time.perf_counter())
    file = io.BytesIO()
    Image.fromarray(stage.session.pixels()).save(file, "png")
    marks.append(time.perf_counter())
    found = full_tree(stage.session.bus, stage.session.cache, time.monotonic() + 10)
    marks.append(time.perf_counter())
    parts = zip(("action and rest", "picture", "tree"), marks, marks[1:], strict=False)
    told = {name: 1e3 * (after - before) for name, before, after in parts}
    return told | {"ms": 1e3 * (marks[-1] - marks[0]), "elements": len(found)}


def steps(application: str, runs: int) -> dict[str, Any]:
    """Medians of each player's step, taken in turn, and the ratios."""
    stage = staged(application)
    peer = their_screen(application) if (FOLDER / "server/main.py").exists() else None
    told: dict[str, list[dict[str, Any]]] = {"selfgym": [], "no pause": [], "shipped": []}
    try:
        time.sleep(2)  # the peer says nothing of when an application is there
        for run in range(runs):
            for ours, theirs in STEPS:
                kind = type(ours).__name__
                told["selfgym"].append(our_step(stage, ours) | {"kind": kind})
                if peer is not None:
                    told["no pause"].append(peer.ask("step", action=theirs, pause=0) | {"kind": kind})
            if peer is not None and run < 3:  # 2 s each: fewer do
                told["shipped"].append(peer.ask("step", action=STEPS[run % 4][1], pause=2))
        found: dict[str, Any] = {name: {"runs": len(ran), **_medians(ran)} for name, ran in told.items() if ran}
        if peer is not None:
            found["elements of theirs"] = peer.ask("tree")["elements"]
            for name in ("shipped", "no pause"):
                found[f"ratio, {name}"] = found[name]["ms"] / found["selfgym"]["ms"]
            for kind in ("Click", "Key"):
                of_it = [statistics.median(_times(told[name], kind)) for name in ("no pause", "selfgym")]
                found[f"ratio, no pause, {kind}"] = of_it[0] / of_it[1]
        return found
    finally:
        stage.session.close()
        if peer is not None:
            peer.close()


def _times(ran: list[dict[str, Any]], kind: str) -> list[float]:
    return [one["ms"] for one in ran if one["kind"] == kind]


def _medians(ran: list[dict[str, Any]]) -> dict[str, float]:
    plain = [{**one, **one.get("parts", {})} for one in ran]
    return {
        key: statistics.median(one[key] for one in plain)
        for key, value in plain[0].items()
        if isinstance(value, int | float)
    }


def main() -> None:
    """Measure what was asked for, print it, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="steps,start,reset,final")
    parser.add_argument("--applications", default="mousepad,galculator,pcmanfm,featherpad,sqlitebrowser")
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.install:
        install()
        return
    if not (FOLDER / "server/main.py").exists():
        print(f"LEFT OUT: OSWorld's server is not in {FOLDER}; see --help", file=sys.stderr)
    wanted, names = options.only.split(","), options.applications.split(",")
    if lacking := missing(names):
        raise SystemExit(f"not installed: {', '.join(lacking)}")
    of_each: dict[str, Callable[[str], dict[str, Any]]] = {
        "steps": lambda name: steps(name, options.runs),
        "reset": lambda name: reset(name, options.runs),
        "final": lambda name: final(name, options.frames),
    }
    result: dict[str, Any] = {"date": str(date.today()), "python": platform.python_version(), "size": SIZE}
    result["load_before"] = os.getloadavg()[0]
    if "start" in wanted:
        result["start"] = start(options.runs)
        print("start", json.dumps(result["start"]), flush=True)
    for part, measure in of_each.items():
        for name in names if part in wanted else ():
            result.setdefault(part, {})[name] = measure(name) | {"load": os.getloadavg()[0]}
            print(part, name, json.dumps(result[part][name]), flush=True)
    result["load_after"] = os.getloadavg()[0]
    path = options.results / f"desktop_real-{'-'.join(wanted)}-{date.today()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


def install() -> None:
    """The peer's Python packages, beside Debian's own."""
    if not (FOLDER / "env/bin/python").exists():
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--system-site-packages", str(FOLDER / "env")], check=True)
    packages = ["flask", "pyautogui", "lxml", "pillow", "requests", "numpy", "python-xlib"]
    subprocess.run([str(FOLDER / "env/bin/pip"), "install", "--quiet", *packages], check=True)


if __name__ == "__main__":
    main()

"""selfgym: a gym in which language agents act, remember and train themselves.

Importing this package registers every environment with Gymnasium by name, built-in ones and those that installed
packages announce under the entry-point group ``selfgym.envs``; nothing heavy is imported until one is made.

>>> import gymnasium, selfgym
>>> env = gymnasium.make("selfgym/Household-v0")
>>> observation, info = env.reset(seed=7)
>>> info["task"]  # doctest: +ELLIPSIS
'...'
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

__version__ = "0.1.0"

_rooms = Path(__file__).resolve().parent.parent.parent
if not (Path(__file__).parent / "envs" / "core.py").exists() and (_rooms / "envs" / "core.py").exists():
    __path__.append(str(_rooms))  # a checkout on a file system without symbolic links


def _register() -> None:
    import warnings

    import gymnasium

    from selfgym.envs.web.miniwob.names import FLIGHTS, PAGES

    ids = {
        "selfgym/Household-v0": "selfgym.envs.household.env:HouseholdEnv",
        "selfgym/Code-v0": "selfgym.envs.code.env:CodeEnv",
        "selfgym/Apps-v0": "selfgym.envs.apps.env:AppsEnv",
        "selfgym/Desktop-v0": "selfgym.envs.desktop.real.env:DesktopEnv",
        "selfgym/MiniDesktop-v0": "selfgym.envs.desktop.mini.made:mini_desktop",
        "selfgym/AlfWorld-v0": "selfgym.envs.household.env:AlfWorldEnv",
        "selfgym/Web-v0": "selfgym.envs.web.opened:WebEnv",
        "selfgym/BrowserGym-v0": "selfgym.envs.adapters.browsergym:BrowserGymEnv",
        "selfgym/TextArena-v0": "selfgym.envs.adapters.textarena:TextArenaEnv",
        "selfgym/OpenEnv-v0": "selfgym.envs.adapters.openenv:OpenEnv",
        "selfgym/GEM-v0": "selfgym.envs.adapters.gem:GemEnv",
        "selfgym/PettingZoo-v0": "selfgym.envs.adapters.pettingzoo:PettingZooEnv",
        "selfgym/MiniWoB-v0": "selfgym.envs.web.miniwob.env:MiniWobEnv",
        "selfgym/Gymnasium-v0": "selfgym.envs.adapters.gymnasium_text:GymnasiumEnv",
        "selfgym/BabyAI-v0": "selfgym.envs.adapters.babyai:BabyAIEnv",
        "selfgym/ReasoningGym-v0": "selfgym.envs.adapters.reasoning_gym:ReasoningGymEnv",
        "selfgym/ScienceWorld-v0": "selfgym.envs.adapters.scienceworld:ScienceWorldEnv",
        "selfgym/TextWorld-v0": "selfgym.envs.adapters.textworld:TextWorldEnv",
        "selfgym/TextCraft-v0": "selfgym.envs.games.textcraft:TextCraftEnv",
        "selfgym/Sokoban-v0": "selfgym.envs.games.sokoban:SokobanEnv",
        "selfgym/Countdown-v0": "selfgym.envs.games.countdown:CountdownEnv",
        "selfgym/Game24-v0": "selfgym.envs.games.countdown:Game24Env",
        "selfgym/BlocksWorld-v0": "selfgym.envs.games.blocks:BlocksWorldEnv",
        "selfgym/TicTacToe-v0": "selfgym.envs.games.tictactoe:TicTacToeEnv",
        "selfgym/KuhnPoker-v0": "selfgym.envs.games.kuhn:KuhnPokerEnv",
        "selfgym/Negotiation-v0": "selfgym.envs.games.negotiation:NegotiationEnv",
    }
    ids = {found.name: found.value for found in metadata.entry_points(group="selfgym.envs")} | ids
    tasks = {f"selfgym/MiniWoB-{task}-v0": task for task in (*PAGES, *FLIGHTS)}
    ids |= dict.fromkeys(tasks, ids["selfgym/MiniWoB-v0"])
    for name, target in ids.items():
        if name in gymnasium.registry:
            continue
        options = {"task": tasks[name]} if name in tasks else {}
        try:
            gymnasium.register(name, target, order_enforce=False, disable_env_checker=True, kwargs=options)
        except gymnasium.error.Error as error:  # one installed package must not break `import selfgym` for everyone
            warnings.warn(f"the environment {name!r} ({target}) cannot be registered: {error}", stacklevel=2)


_register()

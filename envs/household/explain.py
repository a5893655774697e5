"""Why a command did nothing: one sentence for the agent, without telling what it could not know.

ALFWorld answers every such command with "Nothing happens."; this sentence goes to ``info["action_error"]``.
"""

from __future__ import annotations

from selfgym.envs.household.world import World

_SHOWN = 80  # characters of the command that are quoted back
_MOST = 12  # alternatives that are listed

_FORMS = {
    "go": "go to RECEPTACLE",
    "open": "open RECEPTACLE",
    "close": "close RECEPTACLE",
    "take": "take OBJECT from RECEPTACLE",
    "examine": "examine RECEPTACLE or OBJECT",
    "use": "use OBJECT",
    "heat": "heat OBJECT with RECEPTACLE",
    "clean": "clean OBJECT with RECEPTACLE",
    "cool": "cool OBJECT with RECEPTACLE",
    "slice": "slice OBJECT with KNIFE",
    "inventory": "inventory",
    "look": "look",
}
_JOINTS = {"take": " from ", "move": " to ", "put": " in/on ", "heat": " with ", "clean": " with ", "cool": " with "}


def explain(world: World, command: str) -> str:
    """What was wrong with ``command``, which did nothing in the present state, and what works instead."""
    quoted = repr(command if len(command) <= _SHOWN else command[:_SHOWN] + "...")
    words = command.strip()[: 4 * _SHOWN]
    verb, _, rest = words.partition(" ")
    forms = _forms(world)
    if verb not in forms:
        return f"{quoted} is no command. Commands: {', '.join(forms.values())}."
    possible = [other for other in world.admissible() if other.partition(" ")[0] == verb]
    if possible:
        more = f", and {len(possible) - _MOST} more" if len(possible) > _MOST else ""
        advice = f"Possible now: {', '.join(possible[:_MOST])}{more}."
    else:
        advice = f"No command of the form '{forms[verb]}' is possible now."
    return f"{quoted} does nothing: {_reason(world, verb, rest, forms[verb])} {advice}"


def _forms(world: World) -> dict[str, str]:
    if world.game.dialect == "0.3":
        return _FORMS | {"put": "put OBJECT in/on RECEPTACLE"}
    return _FORMS | {"move": "move OBJECT to RECEPTACLE", "help": "help"}


def _reason(world: World, verb: str, rest: str, form: str) -> str:
    game = world.game
    if verb == "go":
        name = rest.removeprefix("to ")
        if _receptacle(world, name) is None:
            return f"there is no receptacle {_quote(name)}."
        return "the agent stands there already, or at a receptacle beside it."
    if verb in ("open", "close"):
        return _about_receptacle(world, rest) or f"the {rest} cannot be opened or is {_lid(world, rest)} already."
    if verb == "examine":
        return f"{_quote(rest)} is neither a receptacle here nor in hand."
    if verb == "use":
        return f"there is no {_quote(rest)} here that can be switched on."
    if verb == "slice":
        return "it takes a knife in hand and, at this place, something that can be sliced."
    if verb not in _JOINTS or _JOINTS[verb] not in rest:
        return f"the form is '{form}'."
    name, _, where = rest.partition(_JOINTS[verb])
    if problem := _about_receptacle(world, where):
        return problem
    held = game.thing_names[world.held] if world.held >= 0 else None
    if verb == "take" and held is not None:
        return f"the hand holds the {held} already."
    if verb != "take" and held != name:
        return f"{_quote(name)} is not in hand."
    if verb in ("take", "move", "put") and _lid(world, where) == "closed":
        return f"the {where} is closed."
    if verb == "take":
        return f"there is no {_quote(name)} to take from the {where}."
    return f"the {where} is not for that: it cannot {'hold' if verb in ('move', 'put') else verb} the {name}."


def _about_receptacle(world: World, name: str) -> str | None:
    r = _receptacle(world, name)
    if r is None:
        return f"there is no receptacle {_quote(name)}."
    return None if world.game.place_of[r] == world.at else f"the agent is not at the {name}."


def _receptacle(world: World, name: str) -> int | None:
    return world.game.receptacle_index.get(world.game.id_of.get(name, ""))


def _lid(world: World, name: str) -> str:
    r = _receptacle(world, name)
    return "closed" if r is not None and world.closed >> r & 1 else "open"


def _quote(name: str) -> str:
    return repr(name if len(name) <= _SHOWN else name[:_SHOWN] + "...")

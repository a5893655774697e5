"""Reading a command: from the words to the rule it names and the numbers that rule works on.

A command is understood only as ALFWorld writes it, letter for letter, blanks included; surrounding white space is
dropped. What could never be admissible in this game (a lamp in hand, a mug in the bread bin) is not understood at all,
so the rules check only what changes during an episode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from selfgym.envs.household.game import Action, Game
from selfgym.envs.household.text import MIDDLE

_LONGEST = 400  # characters; no admissible command comes near
_Rules = Mapping[str, Callable[[Any, int, int, str], str]]


def compile_command(game: Game, command: str, rules: _Rules) -> Action | None:
    """The action of ``command`` in ``game``, remembered there, or ``None`` where it can never do anything."""
    if len(command) > _LONGEST:
        return None
    command = command.strip()
    action = game.commands.get(command) or _read(game, command, rules)
    if action is not None:
        game.commands[command] = action
    return action


def _read(game: Game, command: str, rules: _Rules) -> Action | None:
    verb, _, rest = command.partition(" ")
    if not rest:
        return _alone(game, verb, rules)
    if verb == "go":
        return _with_receptacle(game, "go", rest.removeprefix("to "), rules) if rest.startswith("to ") else None
    if verb in ("open", "close"):
        return _with_receptacle(game, verb, rest, rules)
    if verb == "examine":
        return _with_receptacle(game, "examine receptacle", rest, rules) or _with_thing(
            game, "examine thing", rest, rules
        )
    if verb == "use":
        return _with_thing(game, "use", rest, rules)
    if verb == "slice":
        return _with_knife(game, rest, rules)
    return _with_both(game, verb, rest, rules)


def _alone(game: Game, verb: str, rules: _Rules) -> Action | None:
    texts = {"look": f"{MIDDLE}nothing.", "inventory": "You are not carrying anything."}
    if game.dialect == "0.4":
        texts["help"] = ""
    return (rules[verb], 0, 0, texts[verb]) if verb in texts else None


def _with_receptacle(game: Game, rule: str, name: str, rules: _Rules) -> Action | None:
    r = game.receptacle_index.get(game.id_of.get(name, ""))
    if r is None or (rule in ("open", "close") and not game.openable >> r & 1):
        return None
    place = game.place_of[r]
    goal = name if game.dialect == "0.4" else game.place_names[place]
    text = {"go": f"You arrive at {goal}. ", "open": f"You open the {name}. ", "close": f"You close the {name}."}
    return rules[rule], r, place, text.get(rule, "")


def _with_thing(game: Game, rule: str, name: str, rules: _Rules) -> Action | None:
    i = game.thing_index.get(game.id_of.get(name, ""))
    if i is None or (rule == "use" and not game.toggleable >> i & 1):
        return None
    return rules[rule], i, 0, f"You turn on the {name}." if rule == "use" else name


def _with_knife(game: Game, rest: str, rules: _Rules) -> Action | None:
    name, _, tool = rest.partition(" with ")
    i, knife = (game.thing_index.get(game.id_of.get(word, "")) for word in (name, tool))
    if i is None or knife is None or not game.sliceable >> i & 1 or not game.knives >> knife & 1:
        return None
    return rules["slice"], i, knife, f"You sliced the {name} with the {tool}."


def _with_both(game: Game, verb: str, rest: str, rules: _Rules) -> Action | None:
    """Commands about a thing and a receptacle: take, move (put), clean, heat, cool."""
    words = {"take": " from ", "clean": " with ", "heat": " with ", "cool": " with "}
    words |= {"move": " to "} if game.dialect == "0.4" else {"put": " in/on "}
    if verb not in words:
        return None
    name, _, where = rest.partition(words[verb])
    i, r = game.thing_index.get(game.id_of.get(name, "")), game.receptacle_index.get(game.id_of.get(where, ""))
    if i is None or r is None:
        return None
    if verb == "take":
        return (rules["take"], i, r, f"You pick up the {name} from the {where}.") if game.pickupable >> i & 1 else None
    if verb in ("move", "put"):
        moved = f"You move the {name} to the {where}." if verb == "move" else f"You put the {name} in/on the {where}."
        return (rules["move"], i, r, moved) if game.allowed(r, i) else None
    things, appliances = {
        "clean": (game.cleanable, game.basins),
        "heat": (game.heatable, game.microwaves),
        "cool": (game.coolable, game.fridges),
    }[verb]
    if not things >> i & 1 or not appliances >> r & 1:
        return None
    return rules[verb], i, r, f"You {verb} the {name} using the {where}."

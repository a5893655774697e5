"""One episode of a household: the small mutable state and the rules that change it.

A `World` is cheap to make, to reset, to save and to load; everything that does not change lies in its `Game`. It keeps
every quirk of ALFWorld, among them: a thing can be listed in two receptacles at once; going to a receptacle at the
place where the agent already stands does nothing; a knife reaches into a closed fridge; things that lie in no
receptacle cannot be seen but can be sliced; what was switched on stays on; a win can be undone.

What an expert reads here, all by id:

* ``world.location`` is the location id of the agent, ``world.holding`` the thing in hand or ``None``.
* ``world.contents(receptacle)`` is what lies in a receptacle, open or not; ``world.is_closed(receptacle)`` whether it
  is shut.
* ``world.where(thing)`` lists the receptacles that hold a thing, ``world.properties(thing)`` is a subset of
  ``{"hot", "cool", "clean", "sliced", "on"}``.
* ``world.won`` says whether the goal holds now, ``world.admissible()`` what can be done.

The attributes below them (``at``, ``held``, ``closed``, ``inside``, ...) are the same facts as numbers and bit sets.
No module state: worlds in different threads never meet.
"""

from __future__ import annotations

from selfgym.envs.core import SnapshotError
from selfgym.envs.household.commands import compile_command
from selfgym.envs.household.game import Game, members
from selfgym.envs.household.layout import TaskType
from selfgym.envs.household.menu import menu_of
from selfgym.envs.household.text import HELP, NOTHING, indefinite, thing_text

_FLAGS = ("hot", "cool", "clean", "sliced", "on")
_MOST_MENUS = 256  # per game; a longer life starts the cache again


class World:
    """The state of one episode of ``game``."""

    __slots__ = (
        *("_actions", "_looks", "_menus", "_views", "around", "at", "clean", "closed", "cool", "game"),
        *("gone", "held", "hot", "inside", "on", "sliced", "won"),
    )

    def __init__(self, game: Game) -> None:
        self.game = game
        self._actions = game.commands
        self._looks = game.goal.kind is TaskType.LOOK_AT_IN_LIGHT
        self.reset()

    def reset(self) -> str:
        """Back to the first moment; returns the intro."""
        game = self.game
        self.at = game.start  # the place where the agent stands
        self.held = -1  # the thing in hand, -1 for none
        self.closed = game.closed  # receptacles that are shut
        self.inside = game.inside.copy()  # things in each receptacle
        self.around = game.around.copy()  # things at each place, in a receptacle or not
        self.gone = [0] * len(game.inside)  # things once taken from each receptacle and not put back
        self.hot = self.clean = self.sliced = self.on = 0
        self.cool = game.start_cool
        self._views = game.views.copy()
        self._menus: list[dict[int, list[str]] | None] = list(game.start_menus)
        self.won = self._goal_holds()
        return game.intro

    def step(self, command: str) -> str:
        """Do ``command`` and say what happened; what is not admissible changes nothing."""
        action = self._actions.get(command)
        if action is None:
            action = compile_command(self.game, command, _RULES)
            if action is None:
                return NOTHING
        rule, a, b, text = action
        return rule(self, a, b, text)

    def admissible(self) -> list[str]:
        """Every command that does something now, in ALFWorld's order. The list is the caller's own."""
        menus = self._menus[self.at]
        if menus is None:
            menus = self._menus_here()
        menu = menus.get(self.held)
        if menu is None:
            menu = menus[self.held] = menu_of(self)
        return menu.copy()

    def _menus_here(self) -> dict[int, list[str]]:
        """The menus (by thing in hand) that belong to the present state of this place, shared by all worlds."""
        game, at = self.game, self.at
        key = (at, self.closed & game.openable_at[at], self.around[at] & game.sliceable)
        key += tuple([self.inside[r] for r in game.at_place[at]])  # type: ignore[assignment]
        if len(game.menus) > _MOST_MENUS:
            game.menus.clear()
        menus = self._menus[at] = game.menus.setdefault(key, {})
        return menus

    # What a reader of the state asks, by id

    @property
    def location(self) -> str:
        """The id of the location where the agent stands."""
        return list(self.game.place_index)[self.at]

    @property
    def holding(self) -> str | None:
        """The id of the thing in hand."""
        return None if self.held < 0 else self.game.things[self.held].id

    def contents(self, receptacle: str) -> list[str]:
        """The ids of the things in a receptacle, closed or not, sorted."""
        game = self.game
        return [game.things[i].id for i in members(self.inside[game.receptacle_index[receptacle]])]

    def is_closed(self, receptacle: str) -> bool:
        """Whether a receptacle is shut; what cannot be opened never is."""
        return bool(self.closed >> self.game.receptacle_index[receptacle] & 1)

    def where(self, thing: str) -> list[str]:
        """The ids of the receptacles that hold a thing: none, one, or (a quirk of the data) several."""
        i = self.game.thing_index[thing]
        return [self.game.receptacles[r].id for r, inside in enumerate(self.inside) if inside >> i & 1]

    def properties(self, thing: str) -> frozenset[str]:
        """Which of hot, cool, clean, sliced and on are true of a thing."""
        i = self.game.thing_index[thing]
        return frozenset(flag for flag in _FLAGS if getattr(self, flag) >> i & 1)

    # The rules. Each takes the two numbers and the text that `compile_command` prepared.

    def _go(self, r: int, place: int, text: str) -> str:
        if place == self.at and not self.game.go_anywhere:
            return NOTHING
        self.at = place
        if self._looks:
            self.won = self._goal_holds()
        return text + (self._views[r] or self._view(r))

    def _examine_receptacle(self, r: int, place: int, text: str) -> str:
        if place != self.at:
            return NOTHING
        return self._views[r] or self._view(r)

    def _open(self, r: int, place: int, text: str) -> str:
        if place != self.at or not self.closed >> r & 1:
            return NOTHING
        self.closed ^= 1 << r
        self._menus[place] = None
        return text + self._view(r)

    def _close(self, r: int, place: int, text: str) -> str:
        if place != self.at or self.closed >> r & 1:
            return NOTHING
        self.closed |= 1 << r
        self._menus[place] = self._views[r] = None
        return text

    def _take(self, i: int, r: int, text: str) -> str:
        bit, at = 1 << i, self.at
        if self.held >= 0 or not self.inside[r] & bit or self.game.place_of[r] != at or self.closed >> r & 1:
            return NOTHING
        self.held = i
        self.inside[r] ^= bit
        self.gone[r] |= bit
        self.around[at] &= ~bit
        self._menus[at] = self._views[r] = None
        self.won = self._goal_holds()
        return text

    def _move(self, i: int, r: int, text: str) -> str:
        at = self.at
        if self.held != i or self.game.place_of[r] != at or self.closed >> r & 1:
            return NOTHING
        bit = 1 << i
        self.held = -1
        self.inside[r] |= bit
        self.gone[r] &= ~bit
        self.around[at] |= bit
        self._menus[at] = self._views[r] = None
        self.won = self._goal_holds()
        return text

    def _clean(self, i: int, r: int, text: str) -> str:
        if self.held != i or self.game.place_of[r] != self.at:
            return NOTHING
        self.clean |= 1 << i
        self.won = self._goal_holds()
        return text

    def _heat(self, i: int, r: int, text: str) -> str:
        if self.held != i or self.game.place_of[r] != self.at:
            return NOTHING
        self.hot |= 1 << i
        self.cool &= ~(1 << i)
        self.won = self._goal_holds()
        return text

    def _cool(self, i: int, r: int, text: str) -> str:
        if self.held != i or self.game.place_of[r] != self.at:
            return NOTHING
        self.cool |= 1 << i
        self.hot &= ~(1 << i)
        self.won = self._goal_holds()
        return text

    def _use(self, i: int, _: int, text: str) -> str:
        if not self.reach(1 << i):
            return NOTHING
        self.on |= 1 << i
        self.won = self._goal_holds()
        return text

    def _slice(self, i: int, knife: int, text: str) -> str:
        if self.held != knife or not self.sliceable_here() >> i & 1:
            return NOTHING
        self.sliced |= 1 << i
        return text

    def _examine_thing(self, i: int, _: int, text: str) -> str:
        if i != self.held and not (self.game.examine_visible and self.visible() >> i & 1):
            return NOTHING
        return self.game.inside_texts.get(i) or thing_text(
            text,
            hot=bool(self.hot >> i & 1),
            cool=bool(self.cool >> i & 1),
            clean=bool(self.clean >> i & 1),
            sliced=bool(self.sliced >> i & 1),
            on=bool(self.on >> i & 1),
        )

    def _look(self, _: int, __: int, text: str) -> str:
        game, at = self.game, self.at
        local = game.at_place[at]
        if not local:
            return text
        floor = []
        if here := self.around[at]:
            moved = [self.gone[r] & here for r in local]
            any_moved = 0
            for bits in moved:
                any_moved |= bits
            for i in members(any_moved):
                floor += [game.thing_names[i]] * sum(bits >> i & 1 for bits in moved)
        return f"You are facing {game.facing[at]}. Next to it, you see {indefinite(floor)}."

    def _inventory(self, _: int, __: int, text: str) -> str:
        return text if self.held < 0 else f"You are carrying: a {self.game.thing_names[self.held]}."

    def _help(self, _: int, __: int, text: str) -> str:
        return HELP

    # What several rules ask

    def reach(self, wanted: int) -> int:
        """Those of ``wanted`` that lie in a receptacle here, closed or not."""
        found = 0
        for r in self.game.at_place[self.at]:
            found |= self.inside[r]
        return found & wanted

    def visible(self) -> int:
        """What lies in a receptacle here that is not closed."""
        found = 0
        for r in self.game.at_place[self.at]:
            if not self.closed >> r & 1:
                found |= self.inside[r]
        return found

    def sliceable_here(self) -> int:
        """What a knife can slice here."""
        found = self.around[self.at] & self.game.sliceable
        return found & self.visible() if self.game.no_slice_leak else found

    def _view(self, r: int) -> str:
        view = self._views[r] = self.game.view(r, self.inside[r], self.closed)
        return view

    def _goal_holds(self) -> bool:
        game = self.game
        if self._looks:
            in_hand = self.held >= 0 and bool(game.goal_things >> self.held & 1)
            return in_hand and bool(self.reach(game.goal_lamps & self.on))
        kind, wanted = game.goal.kind, game.goal_things
        if kind is TaskType.CLEAN_AND_PLACE:
            wanted &= self.clean
        elif kind is TaskType.HEAT_AND_PLACE:
            wanted &= self.hot
        elif kind is TaskType.COOL_AND_PLACE:
            wanted &= self.cool
        two = kind is TaskType.PICK_TWO
        for r in game.goal_receptacles:
            found = self.inside[r] & wanted
            if found and (not two or found & (found - 1)):
                return True
        return False

    # Saving

    def save(self) -> bytes:
        """The whole state as bytes, equal exactly when two states of this game are."""
        game = self.game
        wide, narrow = len(game.things) // 8 + 1, len(game.receptacles) // 8 + 1
        parts = [self.at.to_bytes(2), (self.held + 1).to_bytes(2), self.closed.to_bytes(narrow)]
        parts += [bits.to_bytes(wide) for bits in (self.hot, self.cool, self.clean, self.sliced, self.on)]
        for now, first in ((self.inside, game.inside), (self.around, game.around), (self.gone, [0] * len(self.gone))):
            changed = [i for i, bits in enumerate(now) if bits != first[i]]
            parts.append(len(changed).to_bytes(2))
            parts += [i.to_bytes(2) + now[i].to_bytes(wide) for i in changed]
        return b"".join(parts)

    def load(self, saved: bytes) -> None:
        """Go back to a state that `save` returned in a world of an equal game.

        Raises `SnapshotError` where the bytes cannot be such a state; the world is then unchanged.
        """
        game = self.game
        wide, narrow = len(game.things) // 8 + 1, len(game.receptacles) // 8 + 1
        position = 0

        def number(size: int, limit: int) -> int:
            nonlocal position
            position += size
            value = int.from_bytes(saved[position - size : position])
            if position > len(saved) or value >= limit:
                raise SnapshotError(f"not a saved state of the game {game.layout.name!r} (byte {position})")
            return value

        at, held = number(2, len(game.at_place)), number(2, len(game.things) + 1) - 1
        closed = number(narrow, 1 << len(game.receptacles))
        flags = [number(wide, 1 << len(game.things)) for _ in _FLAGS]
        inside, around, gone = game.inside.copy(), game.around.copy(), [0] * len(game.inside)
        for bits in (inside, around, gone):
            for _ in range(number(2, len(bits) + 1)):
                index = number(2, len(bits))
                bits[index] = number(wide, 1 << len(game.things))
        if position != len(saved):
            raise SnapshotError(
                f"not a saved state of the game {game.layout.name!r}: {len(saved) - position} bytes too many"
            )
        self.at, self.held, self.closed, self.inside, self.around, self.gone = at, held, closed, inside, around, gone
        self.hot, self.cool, self.clean, self.sliced, self.on = flags
        self._views = [None] * len(inside)
        self._menus = [None] * len(around)
        self.won = self._goal_holds()


_RULES = {
    "go": World._go,
    "examine receptacle": World._examine_receptacle,
    "examine thing": World._examine_thing,
    "open": World._open,
    "close": World._close,
    "take": World._take,
    "move": World._move,
    "clean": World._clean,
    "heat": World._heat,
    "cool": World._cool,
    "use": World._use,
    "slice": World._slice,
    "look": World._look,
    "inventory": World._inventory,
    "help": World._help,
}

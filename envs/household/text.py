"""Every sentence the household says, byte for byte as ALFWorld 0.4 says it (and 0.3 where the two differ).

Nothing here knows about state: the functions take names and return text. Source: the grammar inside the game files.
"""

from __future__ import annotations

from collections.abc import Sequence

NOTHING = "Nothing happens."
WELCOME = "-= Welcome to TextWorld, ALFRED! =-"
MIDDLE = "You are in the middle of a room. Looking quickly around you, you see "

HELP = """\
Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""


def listing(items: Sequence[str]) -> str:
    """Items as the grammar joins them; two are separated by a comma as well.

    >>> listing([]), listing(["a mug 1"]), listing(["a lettuce 1", "a plate 1"])
    ('nothing', 'a mug 1', 'a lettuce 1, and a plate 1')
    """
    if len(items) < 2:
        return items[0] if items else "nothing"
    return ", ".join(items[:-1]) + ", and " + items[-1]


def indefinite(names: Sequence[str]) -> str:
    """Names as a list with articles, which are always "a"."""
    return listing([f"a {name}" for name in names])


def view_of(receptacle: str, contents: Sequence[str], *, openable: bool, closed: bool) -> str:
    """What a receptacle shows: on arrival, when opened and when examined."""
    if closed:
        return f"The {receptacle} is closed."
    if openable:
        return f"The {receptacle} is open. In it, you see {indefinite(contents)}."
    return f"On the {receptacle}, you see {indefinite(contents)}."


def thing_text(name: str, *, hot: bool, cool: bool, clean: bool, sliced: bool, on: bool) -> str:
    """What `examine` says of a thing that cannot hold others."""
    if sliced and (hot or cool or clean):
        state = "hot and clean " if hot and clean else "cool and clean " if cool and clean else ""
        return f"This is a {state or ('clean ' if clean else 'hot ' if hot else 'cool ')}sliced {name}."
    if hot or cool or clean:
        state = "hot and clean" if hot and clean else "cool and clean" if cool and clean else ""
        return f"This is a {state or ('hot' if hot else 'clean' if clean else 'cold')} {name}."
    if on:
        return f"This {name} is on."
    if sliced:
        return f"This is a sliced {name}."
    return f"There's nothing special about {name}."

"""What stands in a house and where it belongs: general knowledge, the same for every layout.

The generator draws from these tables and the searching expert consults them for likely places. They hold types only,
never an instance. Types, properties and pairs that may be combined agree with the game files of ALFWorld 0.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A type of movable object.

    ``homes`` are the receptacle types where it is usually found, likeliest first; ``also`` may hold it too.
    """

    homes: tuple[str, ...]
    also: tuple[str, ...] = ()
    cleanable: bool = False
    heatable: bool = False
    coolable: bool = False
    sliceable: bool = False
    holds_objects: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _kind(homes: str, also: str = "", properties: str = "") -> ObjectKind:
    """Letters of ``properties``: c(leanable), h(eatable), k (coolable), s(liceable), r(eceptacle for objects)."""
    return ObjectKind(
        homes=_words(homes),
        also=_words(also),
        cleanable="c" in properties,
        heatable="h" in properties,
        coolable="k" in properties,
        sliceable="s" in properties,
        holds_objects="r" in properties,
    )


_SEATS = "sofa armchair ottoman"

OBJECTS: MappingProxyType[str, ObjectKind] = MappingProxyType(
    {
        "apple": _kind("fridge countertop diningtable", "garbagecan microwave sinkbasin sidetable", "chks"),
        "bread": _kind("countertop diningtable fridge", "garbagecan microwave sidetable", "hks"),
        "egg": _kind("fridge countertop diningtable", "sinkbasin garbagecan microwave sidetable", "chks"),
        "lettuce": _kind("countertop fridge diningtable", "sinkbasin garbagecan sidetable", "cks"),
        "potato": _kind("fridge countertop diningtable", "sinkbasin garbagecan microwave sidetable", "chks"),
        "tomato": _kind("fridge countertop diningtable", "sinkbasin garbagecan microwave sidetable", "chks"),
        "bowl": _kind(
            "cabinet countertop diningtable",
            "fridge shelf desk dresser coffeetable sidetable microwave sinkbasin",
            "ckr",
        ),
        "cup": _kind("cabinet countertop fridge", "diningtable sinkbasin microwave shelf sidetable", "chkr"),
        "mug": _kind(
            "countertop cabinet coffeemachine desk",
            "diningtable shelf fridge microwave sinkbasin sidetable dresser",
            "chkr",
        ),
        "plate": _kind(
            "cabinet countertop diningtable", "shelf fridge sinkbasin microwave coffeetable sidetable dresser", "chkr"
        ),
        "pan": _kind("stoveburner countertop cabinet", "diningtable fridge sinkbasin sidetable", "ckr"),
        "pot": _kind("stoveburner countertop cabinet", "diningtable fridge sinkbasin shelf sidetable", "ckr"),
        "kettle": _kind("stoveburner countertop cabinet", "diningtable sinkbasin shelf sidetable", "c"),
        "winebottle": _kind("countertop cabinet diningtable", "garbagecan fridge shelf sidetable", "k"),
        "glassbottle": _kind("countertop cabinet", "sinkbasin diningtable fridge shelf microwave"),
        "butterknife": _kind("countertop drawer diningtable", "sinkbasin sidetable", "c"),
        "fork": _kind("drawer countertop diningtable", "sinkbasin sidetable", "c"),
        "knife": _kind("countertop drawer diningtable", "sinkbasin sidetable", "c"),
        "ladle": _kind("countertop cabinet drawer", "diningtable sinkbasin", "c"),
        "spatula": _kind("countertop drawer diningtable", "sinkbasin sidetable", "c"),
        "spoon": _kind("drawer countertop diningtable", "sinkbasin sidetable", "c"),
        "peppershaker": _kind("cabinet countertop drawer", "diningtable shelf sidetable"),
        "saltshaker": _kind("cabinet countertop drawer", "diningtable shelf sidetable"),
        "dishsponge": _kind(
            "sinkbasin countertop cabinet drawer",
            "diningtable garbagecan shelf bathtubbasin toilet cart sidetable",
            "c",
        ),
        "soapbottle": _kind("countertop cabinet toilet", "garbagecan shelf diningtable drawer sidetable cart"),
        "cloth": _kind(
            "bathtubbasin cabinet countertop drawer",
            "sinkbasin shelf toilet cart dresser sidetable laundryhamper garbagecan armchair desk diningtable",
            "c",
        ),
        "handtowel": _kind(
            "handtowelholder countertop", "bathtubbasin cabinet cart drawer garbagecan shelf sidetable sinkbasin toilet"
        ),
        "towel": _kind("towelholder"),
        "soapbar": _kind(
            "countertop sinkbasin bathtubbasin toilet", "cabinet garbagecan drawer shelf sidetable cart", "c"
        ),
        "spraybottle": _kind("countertop cabinet toilet", "shelf garbagecan dresser cart drawer sidetable diningtable"),
        "toiletpaper": _kind(
            "toiletpaperhanger toilet cabinet countertop", "garbagecan drawer shelf cart sidetable dresser"
        ),
        "candle": _kind("countertop toilet shelf", "cabinet drawer sidetable coffeetable cart dresser diningtable"),
        "tissuebox": _kind(
            "shelf coffeetable sidetable countertop",
            "drawer desk diningtable cabinet dresser toilet tvstand cart garbagecan",
        ),
        "plunger": _kind("cabinet cart"),
        "alarmclock": _kind("desk sidetable dresser shelf", "countertop diningtable"),
        "book": _kind(
            "bed desk shelf", f"coffeetable dresser sidetable drawer countertop diningtable cabinet {_SEATS}"
        ),
        "box": _kind("sofa coffeetable diningtable", "sidetable desk shelf dresser cabinet armchair ottoman", "r"),
        "cd": _kind("desk drawer shelf", "sidetable dresser garbagecan diningtable cabinet safe countertop"),
        "cellphone": _kind(
            "bed desk sidetable drawer", f"dresser shelf countertop diningtable coffeetable safe {_SEATS}"
        ),
        "creditcard": _kind("drawer shelf sidetable desk", f"dresser coffeetable countertop diningtable safe {_SEATS}"),
        "keychain": _kind("drawer sidetable desk coffeetable", f"shelf dresser countertop diningtable safe {_SEATS}"),
        "laptop": _kind("bed desk sofa coffeetable", "diningtable dresser sidetable countertop armchair ottoman"),
        "newspaper": _kind(
            "sofa coffeetable diningtable", "sidetable shelf armchair dresser drawer cabinet garbagecan ottoman"
        ),
        "pen": _kind("desk drawer dresser", "shelf sidetable coffeetable diningtable countertop garbagecan"),
        "pencil": _kind("desk drawer sidetable", "shelf dresser coffeetable diningtable countertop garbagecan"),
        "pillow": _kind("bed sofa", "armchair ottoman"),
        "remotecontrol": _kind(
            "sofa coffeetable sidetable", "armchair drawer dresser shelf desk diningtable countertop ottoman"
        ),
        "statue": _kind("shelf coffeetable sidetable", "dresser diningtable countertop desk safe"),
        "vase": _kind("shelf coffeetable sidetable", "dresser diningtable countertop cabinet desk safe"),
        "watch": _kind("coffeetable sidetable drawer", "dresser shelf desk diningtable"),
        "wateringcan": _kind("shelf coffeetable sidetable", "cabinet desk diningtable drawer dresser"),
        "baseballbat": _kind("bed", "diningtable sidetable"),
        "basketball": _kind("bed desk dresser", "diningtable sidetable"),
        "tennisracket": _kind("bed dresser desk", "diningtable sidetable"),
    }
)
"""Every movable type. None is here that no receptacle can take back (a genuine teddybear cannot be put down)."""

LAMP = "desklamp"
"""The one lamp that genuine games can ask for: floor lamps stand in no receptacle, so they cannot be used."""

FIXED: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        LAMP: ("desk", "sidetable", "dresser", "shelf"),
        "houseplant": ("countertop", "coffeetable", "sidetable", "shelf"),
        "television": ("tvstand", "dresser"),
    }
)
"""Things that are seen but never carried, and where they stand."""

OPENABLE = frozenset({"cabinet", "drawer", "fridge", "microwave", "safe"})

HEIGHTS: MappingProxyType[str, float] = MappingProxyType(
    {"cabinet": 1.9, "drawer": 0.6, "shelf": 1.4, "fridge": 0.0, "garbagecan": 0.0, "sofa": 0.1, "bed": 0.1}
)
"""Usual height in metres of a receptacle's origin; 0.9 where not given."""


@dataclass(frozen=True, slots=True)
class RoomKind:
    """What a kind of room holds: ``always`` once each, ``often`` as (receptacle type, weight, most of it)."""

    always: tuple[str, ...]
    often: tuple[tuple[str, int, int], ...]
    objects: tuple[str, ...]


_DESK_THINGS = "alarmclock book cd cellphone creditcard keychain laptop pen pencil watch"

ROOMS: MappingProxyType[str, RoomKind] = MappingProxyType(
    {
        "kitchen": RoomKind(
            always=("fridge", "microwave", "sinkbasin", "countertop"),
            often=(
                ("cabinet", 8, 99),
                ("drawer", 6, 99),
                ("diningtable", 3, 2),
                ("stoveburner", 3, 4),
                ("garbagecan", 2, 1),
                ("coffeemachine", 2, 1),
                ("toaster", 1, 1),
                ("countertop", 2, 4),
                ("shelf", 2, 6),
                ("sidetable", 1, 1),
            ),
            objects=_words(
                "apple bread egg lettuce potato tomato bowl cup mug plate pan pot kettle winebottle glassbottle "
                "butterknife fork knife ladle spatula spoon peppershaker saltshaker dishsponge soapbottle"
            ),
        ),
        "livingroom": RoomKind(
            always=("sofa", "sidetable", "coffeetable"),
            often=(
                ("drawer", 6, 99),
                ("cabinet", 3, 99),
                ("shelf", 5, 12),
                ("armchair", 3, 3),
                ("tvstand", 2, 1),
                ("diningtable", 2, 2),
                ("garbagecan", 2, 1),
                ("dresser", 1, 1),
                ("desk", 1, 1),
                ("ottoman", 1, 1),
                ("sidetable", 1, 3),
            ),
            objects=_words(f"{_DESK_THINGS} box newspaper pillow remotecontrol statue tissuebox vase wateringcan"),
        ),
        "bedroom": RoomKind(
            always=("bed", "desk", "drawer"),
            often=(
                ("drawer", 7, 99),
                ("shelf", 5, 12),
                ("cabinet", 2, 99),
                ("sidetable", 3, 2),
                ("dresser", 2, 1),
                ("garbagecan", 2, 1),
                ("armchair", 1, 1),
                ("laundryhamper", 1, 1),
                ("safe", 1, 1),
                ("desk", 1, 2),
            ),
            objects=_words(f"{_DESK_THINGS} pillow mug bowl statue vase cloth basketball baseballbat tennisracket"),
        ),
        "bathroom": RoomKind(
            always=("sinkbasin", "countertop", "toilet"),
            often=(
                ("cabinet", 6, 99),
                ("drawer", 5, 99),
                ("garbagecan", 2, 1),
                ("bathtubbasin", 2, 1),
                ("toiletpaperhanger", 2, 1),
                ("handtowelholder", 2, 2),
                ("towelholder", 2, 1),
                ("shelf", 2, 6),
                ("cart", 1, 1),
                ("sidetable", 1, 1),
                ("sinkbasin", 1, 2),
            ),
            objects=_words(
                "candle cloth dishsponge handtowel plunger soapbar soapbottle spraybottle tissuebox toiletpaper towel"
            ),
        ),
    }
)

CAN_CONTAIN: frozenset[tuple[str, str]] = frozenset(
    (place, name) for name, kind in OBJECTS.items() for place in (*kind.homes, *kind.also)
)
"""(receptacle type, object type) pairs, as `Layout.can_contain`."""


@cache
def likely_places(type_: str) -> MappingProxyType[str, float]:
    """How likely a thing is found in each receptacle type that may hold it, as weights; homes weigh most.

    >>> dict(likely_places("fork"))
    {'drawer': 1.0, 'countertop': 0.5, 'diningtable': 0.3333333333333333, 'sinkbasin': 0.2, 'sidetable': 0.2}
    """
    if type_ in FIXED:
        return MappingProxyType(dict.fromkeys(FIXED[type_], 1.0))
    kind = OBJECTS.get(type_, ObjectKind(()))
    weights = dict.fromkeys(kind.also, 0.2) | {place: 1 / rank for rank, place in enumerate(kind.homes, 1)}
    return MappingProxyType({place: weights[place] for place in (*kind.homes, *kind.also)})

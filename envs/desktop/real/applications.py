"""The real applications: what starts them, the Debian packages they come in, and when their windows rest."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from selfgym.envs.desktop.real.settling import Settling


@dataclass(frozen=True, slots=True)
class Application:
    """One application."""

    name: str
    package: str
    """The Debian package."""
    window: str
    """The class of its windows."""
    arguments: tuple[str, ...] = ()
    """Before the files that it is to open."""
    settling: Settling = Settling()  # noqa: RUF009 (frozen)
    repeat: float = 0.0
    """Seconds that it needs between two presses of one key."""
    opening: float = 0.05
    """How long, in seconds, nothing is drawn where a window that was just opened has come to rest."""
    also: tuple[str, ...] = ()
    """Further packages that it needs for what tasks ask of it, named like their programs."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Files of this machine that lie in the home folder first, by path there."""

    def command(self, files: Sequence[str]) -> list[str]:
        """The program with what it is to open."""
        return [self.name, *self.arguments, *files]


_QT = Settling(first=0.06, quiet=0.05)
LANGUAGES = "/usr/share/gtksourceview-4/language-specs"
"""Where GtkSourceView keeps its languages. Mousepad reads all of them whenever it starts, a quarter of its time."""
_LANGUAGES = (
    "c css def desktop diff dtd gtk-doc html ini javascript-expressions javascript-functions-classes "
    "javascript-literals javascript-modules javascript-statements javascript-values javascript jsdoc json makefile "
    "markdown python python3 sh sql xml yaml"
)
"""Those that Mousepad has here, and what they refer to."""
_SPECS = ("language2.rng", *(f"{name}.lang" for name in _LANGUAGES.split()))
APPLICATIONS = {
    application.name: application
    for application in (
        Application(
            "mousepad",
            "mousepad",
            "Mousepad",
            keeps={f".local{LANGUAGES.removeprefix('/usr')}/{name}": f"{LANGUAGES}/{name}" for name in _SPECS},
        ),
        Application("featherpad", "featherpad", "FeatherPad", settling=_QT),
        Application("pcmanfm", "pcmanfm", "Pcmanfm"),
        # a key of its keypad shows as pressed for 0.1 s
        Application("galculator", "galculator", "Galculator", settling=Settling(hold=0.14), repeat=0.15),
        Application(
            "gnumeric", "gnumeric", "Gnumeric", ("--no-splash",), Settling(first=0.08, quiet=0.08), opening=0.2
        ),
        Application("sqlitebrowser", "sqlitebrowser", "DB Browser for SQLite", settling=_QT),
        Application("sakura", "sakura", "Sakura", settling=Settling(quiet=0.05)),
        Application("zim", "zim", "Zim", settling=Settling(quiet=0.05)),
        Application("viewnior", "viewnior", "Viewnior"),
        Application("xarchiver", "xarchiver", "Xarchiver", settling=Settling(quiet=0.05), also=("zip", "unzip")),
    )
}
"""By the name of their program."""
SCREEN = {"Xvfb": "xvfb", "openbox": "openbox", "dbus-daemon": "dbus"}
"""Programs that every screen needs, and their packages."""
BUS = "/usr/libexec/at-spi-bus-launcher"
"""The program that every screen needs for the elements; its package is ``at-spi2-core``."""


def packages() -> list[str]:
    """Every Debian package that the real desktop is made of."""
    more = [name for one in APPLICATIONS.values() for name in (one.package, *one.also)]
    return [*SCREEN.values(), "at-spi2-core", "libatk-adaptor", "fonts-dejavu-core", *more]


def missing(applications: Iterable[str] = APPLICATIONS) -> list[str]:
    """The packages among those of the screen and of these applications that are not here."""
    lacking = [package for program, package in SCREEN.items() if shutil.which(program) is None]
    if shutil.which(BUS) is None:
        lacking.append("at-spi2-core")
    found = [APPLICATIONS[name] for name in applications]
    lacking += [one.package for one in found if shutil.which(one.name) is None]
    return lacking + [package for one in found for package in one.also if shutil.which(package) is None]

"""What an endpoint is: a function with typed parameters, checked before it is called and described from its signature.

`reads` and `writes` make endpoints of the functions of an app's module. The first parameter of such a function is the
`Call`; the others are what the agent passes.
"""

import importlib
import inspect
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .schema import Row, insert, plain

APPS: dict[str, str] = {
    "supervisor": "who you work for: profile, passwords, today's date",
    "mail": "read, search, send and file mail",
    "calendar": "events and their attendees",
    "contacts": "people, and groups of them",
    "notes": "notes with tags",
    "files": "text files in folders",
    "shop": "products, cart, orders, reviews; login needed",
    "payments": "send and request money; login needed",
    "music": "songs, playlists, likes, queue",
    "todo": "task lists",
    "messages": "text messages by phone number",
    "travel": "hotels, flights, bookings",
    "fitness": "workouts and weekly goals",
    "recipes": "recipes, ingredients, meal plan",
}
"""The apps, each a module of this folder, and what they are for."""

GUARDED = ("shop", "payments")
"""Apps whose endpoints want the token of a login."""

Date = Annotated[str, "YYYY-MM-DD"]
Time = Annotated[str, "HH:MM"]

MOST_TEXT = 2_000
"""Characters in one text that is passed to an endpoint."""
MOST_GROWN = 10_000
"""Characters to which a text may grow line by line."""
_MOST_LIST = 50
_MOST_NUMBER = 10**9
_PAGE = 20


class ApiError(Exception):
    """A call that the app refuses; its text says why."""


class Call:
    """What an endpoint works with: the database, the clock and the person whose accounts these are."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    @property
    def now(self) -> str:
        """The simulated time, ``YYYY-MM-DD HH:MM``."""
        return str(self.db.execute("select now from clock").fetchone()[0])

    @property
    def me(self) -> Row:
        """The supervisor's profile."""
        return self.rows("select * from profile")[0]

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """What a query finds, as the agent is shown it."""
        found = self.db.execute(sql, values)
        names = [column[0] for column in found.description]
        return [plain(dict(zip(names, row, strict=True))) for row in found]

    def page(self, sql: str, *values: Any, page_index: int, page_limit: int) -> list[Row]:
        """One page of what a query finds."""
        if not 1 <= page_limit <= _PAGE or page_index < 0:
            raise ApiError(f"page_limit is 1 to {_PAGE} and page_index 0 or more, not {page_limit} and {page_index}")
        return self.rows(f"{sql} limit {page_limit} offset {page_index * page_limit}", *values)

    def one(self, table: str, number: int, what: str) -> Row:
        """The row with this id, or an error that calls it ``what``."""
        found = self.rows(f'select * from "{table}" where id = ?', number)
        if not found:
            raise ApiError(f"there is no {what} with id {number}")
        return found[0]

    def add(self, table: str, **values: Any) -> Row:
        """Add a row and return it."""
        insert(self.db, table, values)
        return self.rows(f'select * from "{table}" order by id desc limit 1')[0]

    def change(self, table: str, number: int, **values: Any) -> Row:
        """Set columns of the row with this id and return it."""
        names = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f'update "{table}" set {names} where id = ?', (*values.values(), number))
        return self.rows(f'select * from "{table}" where id = ?', number)[0]

    def remove(self, table: str, **where: Any) -> None:
        """Delete the rows that have all these values."""
        names = " and ".join(f"{name} = ?" for name in where)
        self.db.execute(f'delete from "{table}" where {names}', tuple(where.values()))

    def longer(self, text: str, line: str) -> str:
        """``text`` with one line more, or an error where it gets too long."""
        if len(text) + len(line) > MOST_GROWN:
            raise ApiError(f"the text would have more than {MOST_GROWN} characters")
        return f"{text}\n{line}"

    def tick(self) -> None:
        """A minute passes."""
        later = datetime.fromisoformat(self.now) + timedelta(minutes=1)
        self.db.execute("update clock set now = ?", (later.strftime("%Y-%m-%d %H:%M"),))


class Endpoint:
    """One thing an app can do."""

    def __init__(self, function: Callable[..., Any], writes: bool) -> None:
        # no dataclass: making one takes longer than all else that is imported, and that is done in every step
        self.function, self.writes = function, writes

    @cached_property
    def name(self) -> str:
        """The app and the endpoint, as in ``mail.send``."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__name__}"

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """What the agent passes, by name."""
        given = dict(list(inspect.signature(self.function).parameters.items())[1:])
        if self.name.partition(".")[0] in GUARDED and not self.name.endswith(".login"):
            token = inspect.Parameter("access_token", inspect.Parameter.KEYWORD_ONLY, annotation=str)
            given["access_token"] = token
        return given

    def signature(self) -> str:
        """As in ``mail.send(to: list[str], subject: str, body: str)``."""
        return f"{self.name}({', '.join(_parameter(one) for one in self.parameters.values())})"

    def call(self, db: sqlite3.Connection, arguments: dict[str, Any]) -> Any:
        """Check the arguments and do it. Raises `ApiError`, and then nothing has changed."""
        arguments = self._checked(arguments)
        call = Call(db)
        if "access_token" in self.parameters:
            app, token = self.name.partition(".")[0], arguments.pop("access_token")
            if not call.rows("select id from sessions where app = ? and token = ?", app, token):
                raise ApiError(f"{self.name}: this access_token is not valid; {app}.login gives you one")
        if not self.writes:
            try:
                return self.function(call, **arguments)
            except ApiError as error:
                raise ApiError(f"{self.name}: {error}") from None
        db.execute("savepoint call")
        try:
            result = self.function(call, **arguments)
            call.tick()
        except (ApiError, sqlite3.Error) as error:
            db.execute("rollback to call")
            raise ApiError(f"{self.name}: {error}") from None
        finally:
            db.execute("release call")
        return result

    def _checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        for name in arguments:
            if name not in self.parameters:
                near = get_close_matches(name[:50], self.parameters, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ApiError(f"{self.name} has no parameter {name[:50]!r}.{hint} Use {self.signature()}")
        for name, parameter in self.parameters.items():
            if name in arguments:
                _check(f"{self.name}: parameter {name!r}", arguments[name], parameter.annotation)
            elif parameter.default is inspect.Parameter.empty:
                raise ApiError(f"{self.name}: parameter {name!r} is missing. Use {self.signature()}")
        return dict(arguments)


def reads(function: Callable[..., Any]) -> Endpoint:
    """An endpoint that changes nothing."""
    return Endpoint(function, writes=False)


def writes(function: Callable[..., Any]) -> Endpoint:
    """An endpoint that changes something; it does so wholly or not at all, and a minute passes."""
    return Endpoint(function, writes=True)


@cache
def endpoints(app: str) -> dict[str, Endpoint]:
    """The endpoints of an app by name."""
    module = importlib.import_module(f".{app}", __package__)
    return {name: found for name, found in vars(module).items() if isinstance(found, Endpoint)}


def find(name: str) -> Endpoint:
    """The endpoint called ``app.endpoint``. Raises `ApiError` with the nearest name."""
    app, _, rest = name.partition(".")
    if app not in APPS:
        raise ApiError(f"there is no app {app[:50]!r}.{_near(app, APPS)} Apps: {', '.join(APPS)}")
    known = endpoints(app)
    if rest not in known:
        raise ApiError(f"{app} has no endpoint {rest[:50]!r}.{_near(rest, known)} See docs({app!r})")
    return known[rest]


def _near(name: str, known: dict[str, Any]) -> str:
    near = get_close_matches(name[:50], known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def kind(annotation: Any) -> str:
    """A type in words, as the documentation has it."""
    if get_origin(annotation) is Annotated:
        return f"{get_args(annotation)[0].__name__} {get_args(annotation)[1]}"
    if get_origin(annotation) is Literal:
        return " or ".join(repr(one) for one in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join("None" if one is NoneType else kind(one) for one in get_args(annotation))
    return annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)


def _parameter(parameter: inspect.Parameter) -> str:
    optional = "" if parameter.default is inspect.Parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {kind(parameter.annotation)}{optional}"


def _check(where: str, value: Any, annotation: Any) -> None:
    if not _fits(value, annotation):
        shown = repr(value) if isinstance(value, str | int | float | bool | NoneType) else type(value).__name__
        raise ApiError(f"{where} must be {kind(annotation)}, not {ascii(shown[:60])[1:-1]}")
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and len(one) > MOST_TEXT:
            raise ApiError(f"{where} has {len(one)} characters; the limit is {MOST_TEXT}")


def _fits(value: Any, annotation: Any) -> bool:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type(value) is str and _is_written(value, inner[1])
    if origin is Literal:
        return type(value) is str and value in inner
    if origin is list:
        return type(value) is list and len(value) <= _MOST_LIST and all(_fits(one, inner[0]) for one in value)
    if inner:
        return any(_fits(value, one) for one in inner)
    if annotation is int:
        return type(value) is int and abs(value) <= _MOST_NUMBER
    if annotation is str:
        return type(value) is str and value.replace("\n", "").replace("\t", "").isprintable()
    return type(value) is annotation


def _is_written(value: str, form: str) -> bool:
    """Whether ``value`` is a day or a time of day, written as ``form`` says."""
    try:
        read = date.fromisoformat(value) if form == "YYYY-MM-DD" else time.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len(form) and str(read)[: len(form)] == value

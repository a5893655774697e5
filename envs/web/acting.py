"""Carrying out an action: real pointer and key events, so that pages see what a person's hand would send.

What cannot be done is an `ActionError` that says why, raised before the page is touched. ``synthetic`` replaces a click
by the element's own ``click()``, for pages that no pointer can reach; it is never the default.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from selfgym.envs.tools import ActionError, ToolCall
from selfgym.envs.web.session import Look, Session

T = TypeVar("T")
_NAMED_KEYS = {
    *("Alt", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowUp", "Backspace", "CapsLock", "Control", "ControlOrMeta"),
    *("Delete", "End", "Enter", "Escape", "Home", "Insert", "Meta", "PageDown", "PageUp", "Shift", "Space", "Tab"),
    *(f"F{number}" for number in range(1, 13)),
}
_MOST_TYPED = 5_000  # characters in one action
_DRAG_MOVES = 4
_MODIFIERS = {"Alt": 1, "Control": 2, "ControlOrMeta": 2, "Meta": 4, "Shift": 8}
_BUTTONS = {"none": 0, "left": 1, "right": 2, "middle": 4}


class Acting:
    """Does the actions of one episode in its session. ``look`` is what the agent saw last."""

    def __init__(self, session: Session, *, synthetic: bool = False) -> None:
        self.session, self.synthetic = session, synthetic
        self.look: Look | None = None
        self._held = ""  # the button that is held down

    async def do(self, call: ToolCall) -> None:
        """Carry out ``call``. Raises `ActionError` where it cannot be done, having changed nothing."""
        arguments = call.arguments
        for text in _texts(arguments):
            if any("\ud800" <= letter <= "\udfff" for letter in text):
                raise ActionError("The text has half a surrogate pair in it, which cannot be typed.")
        actions: dict[str, Callable[..., Awaitable[None]]] = {
            "click": self._click, "dblclick": self._dblclick, "hover": self._hover, "fill": self._fill,
            "clear": self._clear, "select_option": self._select, "focus": self._focus, "press": self._press,
            "drag_and_drop": self._drag, "upload_file": self._upload, "scroll": self._scroll,
            "keyboard_press": self._key, "keyboard_type": self._type, "keyboard_insert_text": self._insert,
            "mouse_move": self._move, "mouse_click": self._click_at, "mouse_dblclick": self._dblclick_at,
            "mouse_down": self._down, "mouse_up": self._up, "mouse_drag_and_drop": self._drag_at, "goto": self._goto,
            "go_back": self._back, "go_forward": self._forward, "reload": self._reload, "new_tab": self._new_tab,
            "tab_focus": self._tab_focus, "tab_close": self._tab_close, "handle_dialog": self._dialog,
            "noop": self._nothing,
        }  # fmt: skip
        await actions[call.name](**arguments)

    # Pointer

    async def _click(self, element: int, button: str, modifiers: list[str], count: int = 1) -> None:
        if self.synthetic and button == "left" and not modifiers:
            _check(await self.session.tab.call("press", element), element)
            return
        x, y = await self._point(element)
        await self._press_at(x, y, button, count, modifiers)

    async def _dblclick(self, element: int, button: str, modifiers: list[str]) -> None:
        await self._click(element, button, modifiers, 2)

    async def _hover(self, element: int) -> None:
        x, y = await self._point(element, "hover")
        await self.session.tab.pointer(_event("mouseMoved", x, y))

    async def _click_at(self, x: float, y: float, button: str) -> None:
        self._inside(x, y)
        await self._press_at(x, y, button, 1, [])

    async def _dblclick_at(self, x: float, y: float, button: str) -> None:
        self._inside(x, y)
        await self._press_at(x, y, button, 2, [])

    async def _press_at(self, x: float, y: float, button: str, count: int, modifiers: list[str]) -> None:
        for key in modifiers:
            await self._guard(self._page.keyboard.down(key))
        bits = sum(_MODIFIERS[key] for key in modifiers)
        events = [_event("mouseMoved", x, y, modifiers=bits)]
        for number in range(1, count + 1):
            for kind in ("mousePressed", "mouseReleased"):
                events.append(_event(kind, x, y, button, clickCount=number, modifiers=bits))
        await self.session.tab.pointer(*events)
        for key in modifiers:
            await self._guard(self._page.keyboard.up(key))

    async def _move(self, x: float, y: float) -> None:
        self._inside(x, y)
        await self.session.tab.pointer(_event("mouseMoved", x, y, self._held or "none"))

    async def _down(self, x: float, y: float, button: str) -> None:
        self._inside(x, y)
        self._held = button
        await self.session.tab.pointer(_event("mouseMoved", x, y), _event("mousePressed", x, y, button, clickCount=1))

    async def _up(self, x: float, y: float, button: str) -> None:
        await self._move(x, y)
        self._held = ""
        await self.session.tab.pointer(_event("mouseReleased", x, y, button, clickCount=1))

    async def _drag(self, from_element: int, to_element: int) -> None:
        start = await self._point(from_element)
        end = await self._point(to_element, "hover")
        start = await self._point(from_element)  # the second may have scrolled it away
        await self._drag_at(*start, *end)

    async def _drag_at(self, from_x: float, from_y: float, to_x: float, to_y: float) -> None:
        self._inside(from_x, from_y)
        self._inside(to_x, to_y)
        await self._down(from_x, from_y, "left")
        for step in range(1, _DRAG_MOVES + 1):
            share = step / _DRAG_MOVES
            await self._move(from_x + (to_x - from_x) * share, from_y + (to_y - from_y) * share)
        await self._up(to_x, to_y, "left")

    async def _scroll(self, delta_x: float, delta_y: float, element: int | None) -> None:
        _check(await self.session.tab.call("scroll", element, delta_x, delta_y), element)

    # Keys and fields

    async def _fill(self, element: int, value: str) -> None:
        if len(value) > _MOST_TYPED:
            raise ActionError(f"The text has {len(value)} characters; at most {_MOST_TYPED} can be typed at once.")
        tab = self.session.tab
        await self._point(element)
        field = _check(await tab.call("ready", element), element)
        if field["how"] == "set":
            _check(await tab.call("set", element, value), element)
        elif value:
            await self._guard(self._page.keyboard.insert_text(value))
        elif not field["empty"]:
            await self._guard(self._page.keyboard.press("Delete"))

    async def _clear(self, element: int) -> None:
        await self._fill(element, "")

    async def _select(self, element: int, options: str | list[str]) -> None:
        wanted = [options] if isinstance(options, str) else options
        _check(await self.session.tab.call("choose", element, wanted), element)

    async def _focus(self, element: int) -> None:
        _check(await self.session.tab.call("focus", element), element)

    async def _press(self, element: int, key_comb: str) -> None:
        _known_keys(key_comb)
        await self._focus(element)
        await self._guard(self._page.keyboard.press(key_comb))

    async def _key(self, key: str) -> None:
        _known_keys(key)
        await self._guard(self._page.keyboard.press(key))

    async def _type(self, text: str) -> None:
        if len(text) > _MOST_TYPED:
            raise ActionError(f"The text has {len(text)} characters; at most {_MOST_TYPED} can be typed at once.")
        await self._guard(self._page.keyboard.type(text))

    async def _insert(self, text: str) -> None:
        await self._guard(self._page.keyboard.insert_text(text))

    async def _upload(self, element: int, file: str | list[str]) -> None:
        names = [file] if isinstance(file, str) else file
        tab = self.session.tab
        entry = self.look.element(element) if self.look else None
        if entry is None or entry["role"] != "file":
            raise ActionError(f"[{element}] is no file input that is on the page now.")
        paths = self.session.uploads(names)
        await tab.send("DOM.setFileInputFiles", files=paths, objectId=await tab.handle(element))

    # Places

    async def _goto(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ActionError(f"{url[:60]!r} is no address to go to: write http://host/path.")
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise ActionError(f"{url[:60]!r} is no address to go to: its port is no number.") from None
        if self.session.gate.allows(parts.hostname, port) is None:
            known = ", ".join((*self.session.gate.sites, *self.session.gate.hosts))
            raise ActionError(f"The task does not allow {parts.hostname[:60]!r}. Allowed: {known}.")
        await self.session.tab.navigate(parts.geturl())

    async def _back(self) -> None:
        await self._history(-1)

    async def _forward(self) -> None:
        await self._history(1)

    async def _history(self, step: int) -> None:
        history = await self.session.tab.send("Page.getNavigationHistory")
        index, entries = history["currentIndex"] + step, history["entries"]
        first = 1 if entries[0]["url"] == "about:blank" else 0  # the page that the tab began with is no place
        if not first <= index < len(entries):
            raise ActionError("There is no page to go back to." if step < 0 else "There is no page to go forward to.")
        await self.session.tab.enter(entries[index]["id"])

    async def _reload(self) -> None:
        await self.session.tab.navigate(self._page.url)

    async def _new_tab(self) -> None:
        await self.session.new_tab()

    async def _tab_focus(self, index: int) -> None:
        if not 0 <= index < len(self.session.tabs):
            raise ActionError(f"There is no tab {index}; the tabs are 0 to {len(self.session.tabs) - 1}.")
        self.session.active = index
        await self._guard(self._page.bring_to_front())

    async def _tab_close(self) -> None:
        await self.session.close_tab()

    async def _dialog(self, accept: bool, text: str) -> None:
        self.session.answer_next = (accept, text)

    async def _nothing(self, wait_ms: int) -> None:
        """Time passes while the action settles."""

    # What the others are made of

    @property
    def _page(self) -> Any:
        return self.session.tab.page

    async def _guard(self, call: Awaitable[T]) -> T:
        return await self.session.tab.guard(call, "an input event")

    async def _point(self, element: int, need: str = "") -> tuple[float, float]:
        """Where to press; known from the last look while the page's clock stood still since."""
        tab = self.session.tab
        entry = self.look.element(element) if self.look else None
        if entry is not None and "point" in entry and tab.virtual and not (need == "" and "disabled" in entry["state"]):
            return entry["point"][0], entry["point"][1]
        found = _check(await tab.call("point", element, need), element)
        return found["x"], found["y"]

    def _inside(self, x: float, y: float) -> None:
        view = self.session.view
        if not (0 <= x < view.width and 0 <= y < view.height):
            raise ActionError(f"({x:g}, {y:g}) is outside the picture, which is {view.width} x {view.height} pixels.")


def _event(kind: str, x: float, y: float, button: str = "none", **more: Any) -> dict[str, Any]:
    """An event of the pointer in the protocol's form."""
    held = 0 if kind == "mouseReleased" else _BUTTONS[button]
    return {"type": kind, "x": x, "y": y, "button": button, "buttons": held, **more}


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list):
        return [text for one in (value.values() if isinstance(value, dict) else value) for text in _texts(one)]
    return []


def _known_keys(combination: str) -> None:
    keys = combination.split("+") if combination != "+" else ["+"]
    if combination.endswith("++"):
        keys = [*combination[:-2].split("+"), "+"]
    for key in keys:
        if key not in _NAMED_KEYS and not (len(key) == 1 and key.isprintable()):
            raise ActionError(
                f"There is no key {key[:30]!r}. Keys are single characters and {', '.join(sorted(_NAMED_KEYS))}; "
                "join them with +, such as Control+a."
            )


def _check(answer: dict[str, Any], element: int | None) -> dict[str, Any]:
    """``answer`` of the observer. Raises `ActionError` where it says that something cannot be done."""
    what = answer.get("what", f"[{element}]")
    listed = ", ".join(repr(one) for one in answer.get("options", ()))
    sentences = {
        "unknown": f"There is no element {element}; look at the numbers in the last observation.",
        "gone": f"Element {element} is gone: the page has changed. Use a number of the last observation.",
        "covered": f"{what} is covered by {answer.get('cover')}, which would be hit instead.",
        "hidden": f"{what} cannot be seen, so it cannot be hit.",
        "disabled": f"{what} is disabled.",
        "readonly": f"{what} is read-only.",
        "unfillable": f"{what} is no field to write into.",
        "unselectable": f"{what} is no list of options; click it and then what it shows.",
        "unfocusable": f"{what} cannot have the focus.",
        "malformed": f"{what} does not accept that value; a field of type {answer.get('type')} wants its ISO form.",
        "option": f"{what} has no option {answer.get('option')!r} that can be chosen. Options: {listed}.",
        "unscrollable": "Nothing scrolls there in that direction.",
        "single": f"{what} takes exactly one option.",
    }
    if "error" in answer:
        raise ActionError(sentences[answer["error"]])
    return answer

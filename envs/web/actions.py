"""What an agent can do in a browser, as typed tools, and how an action string is read.

The names and the order of the arguments are those of BrowserGym (ServiceNow, `browsergym.core.action`), which agents
for WebArena know too: ``click("12")``, ``fill(3, "text")``, ``scroll(0, 200)``. Elements go by the number an
observation gives them. A string is read as one call of Python with literal arguments and never run; a tool call is
accepted as well.

>>> read_action('fill(3, "Ann")')
ToolCall(name='fill', arguments={'element': 3, 'value': 'Ann'})
>>> read_action("clik(3)")  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
selfgym.envs.tools.ActionError: There is no tool 'clik'. Did you mean 'click'? ...
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from selfgym.envs.calls import read_call
from selfgym.envs.tools import Tool, ToolCall, ToolSet

Button = Literal["left", "middle", "right"]
Modifier = Literal["Alt", "Control", "ControlOrMeta", "Meta", "Shift"]
_FAR = 100_000  # pixels


def _number(value: Any) -> Any:
    """``"12"``, ``"[12]"`` and 12 name the same element."""
    if isinstance(value, str) and len(value) < 12:
        digits = value.strip().removeprefix("[").removesuffix("]")
        return int(digits) if digits.isascii() and digits.isdigit() else value
    return value


Element = Annotated[int, BeforeValidator(_number), Field(ge=1, le=10**9, description="The element's number.")]
Pixels = Annotated[float, Field(ge=-_FAR, le=_FAR)]


class _Click(BaseModel):
    element: Element
    button: Button = "left"
    modifiers: list[Modifier] = []


class _One(BaseModel):
    element: Element


class _Fill(BaseModel):
    element: Element
    value: str


class _Select(BaseModel):
    element: Element
    options: str | list[str]


class _Press(BaseModel):
    element: Element
    key_comb: str


class _Drag(BaseModel):
    from_element: Element
    to_element: Element


class _Scroll(BaseModel):
    delta_x: Pixels
    delta_y: Pixels
    element: Element | None = None


class _At(BaseModel):
    x: Pixels
    y: Pixels
    button: Button = "left"


class _To(BaseModel):
    x: Pixels
    y: Pixels


class _DragAt(BaseModel):
    from_x: Pixels
    from_y: Pixels
    to_x: Pixels
    to_y: Pixels


class _Key(BaseModel):
    key: str


class _Text(BaseModel):
    text: str


class _Url(BaseModel):
    url: str


class _Tab(BaseModel):
    index: int


class _Upload(BaseModel):
    element: Element
    file: str | list[str]


class _Dialog(BaseModel):
    accept: bool
    text: str = ""


class _Reason(BaseModel):
    reason: str = ""


class _Wait(BaseModel):
    wait_ms: Annotated[int, Field(ge=0, le=60_000)] = 1000


class _Nothing(BaseModel):
    pass


WEB_TOOLS = ToolSet(
    [
        Tool("click", "Click an element.", _Click),
        Tool("dblclick", "Double-click an element.", _Click),
        Tool("hover", "Move the pointer over an element.", _One),
        Tool("fill", "Replace the text of a field, or set a date, a time, a colour or a slider.", _Fill),
        Tool("clear", "Empty a field.", _One),
        Tool("select_option", "Choose one or several options of a list by their text or value.", _Select),
        Tool("focus", "Focus an element.", _One),
        Tool("press", "Focus an element and press keys, such as Enter or Control+a.", _Press),
        Tool("drag_and_drop", "Drag one element onto another.", _Drag),
        Tool("upload_file", "Put one or several of the task's files into a file input.", _Upload),
        Tool("scroll", "Scroll the page, or what scrolls at an element, by pixels.", _Scroll),
        Tool("keyboard_press", "Press keys where the focus is.", _Key),
        Tool("keyboard_type", "Type a text key by key where the focus is.", _Text),
        Tool("keyboard_insert_text", "Insert a text at once where the focus is.", _Text),
        Tool("mouse_move", "Move the pointer to a point of the picture.", _To),
        Tool("mouse_click", "Click at a point of the picture.", _At),
        Tool("mouse_dblclick", "Double-click at a point of the picture.", _At),
        Tool("mouse_down", "Press a button of the mouse at a point and hold it.", _At),
        Tool("mouse_up", "Release a button of the mouse at a point.", _At),
        Tool("mouse_drag_and_drop", "Drag from one point of the picture to another.", _DragAt),
        Tool("goto", "Go to an address.", _Url),
        Tool("go_back", "Go back to the page before.", _Nothing),
        Tool("go_forward", "Undo going back.", _Nothing),
        Tool("reload", "Load the page again.", _Nothing),
        Tool("new_tab", "Open an empty tab.", _Nothing),
        Tool("tab_focus", "Switch to a tab by its number, from 0.", _Tab),
        Tool("tab_close", "Close the present tab.", _Nothing),
        Tool("handle_dialog", "Say how the next confirmation or prompt of the page is to be answered.", _Dialog),
        Tool("noop", "Do nothing and let time pass.", _Wait),
        Tool("send_msg_to_user", "Give the user the answer. This ends the episode.", _Text),
        Tool("report_infeasible", "Say that the task cannot be done. This ends the episode.", _Reason),
    ]
)
"""Every action. Coordinates are pixels of the viewport, from its top left corner."""


def read_action(action: Any, tools: ToolSet = WEB_TOOLS) -> ToolCall:
    """The one call that ``action`` makes. Raises `ActionError`, whatever is wrong with it."""
    return read_call(action, tools, example='click(3) or fill(2, "text")')

"""The household's verbs as typed tools, and the command that a tool call stands for.

>>> command_from({"name": "move", "arguments": {"object": "mug 1", "receptacle": "shelf 2"}})
'move mug 1 to shelf 2'
>>> command_from({"name": "move", "arguments": {"object": "mug 1", "receptacle": "shelf 2"}}, dialect="0.3")
'put mug 1 in/on shelf 2'
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolSet

_OBJECT = Field(description="The object's name with its number, e.g. 'mug 1'.")
_RECEPTACLE = Field(description="The receptacle's name with its number, e.g. 'countertop 2'.")


class _Nothing(BaseModel):
    pass


class _AtReceptacle(BaseModel):
    receptacle: str = _RECEPTACLE


class _OfObject(BaseModel):
    object: str = _OBJECT


class _ObjectAndReceptacle(BaseModel):
    object: str = _OBJECT
    receptacle: str = _RECEPTACLE


class _Slice(BaseModel):
    object: str = _OBJECT
    knife: str = Field(description="The knife you hold, e.g. 'butterknife 1'.")


class _Examine(BaseModel):
    target: str = Field(description="A receptacle here or the object you hold, with its number, e.g. 'fridge 1'.")


HOUSEHOLD_TOOLS = ToolSet(
    Tool(name, description, parameters)
    for name, description, parameters in (
        ("go_to", "Go to a receptacle.", _AtReceptacle),
        ("take", "Take an object from the receptacle you are at. You can hold one object.", _ObjectAndReceptacle),
        ("move", "Put the object you hold in or on the receptacle you are at.", _ObjectAndReceptacle),
        ("open", "Open the receptacle you are at.", _AtReceptacle),
        ("close", "Close the receptacle you are at.", _AtReceptacle),
        ("heat", "Heat the object you hold with the microwave you are at.", _ObjectAndReceptacle),
        ("cool", "Cool the object you hold with the fridge you are at.", _ObjectAndReceptacle),
        ("clean", "Clean the object you hold with the sink basin you are at.", _ObjectAndReceptacle),
        ("use", "Turn on a lamp that is here.", _OfObject),
        ("slice", "Slice an object that is here with the knife you hold.", _Slice),
        ("examine", "Look closely at a receptacle that is here or at the object you hold.", _Examine),
        ("inventory", "Say what you are carrying.", _Nothing),
        ("look", "Say where you are and what is next to you.", _Nothing),
        ("help", "List the commands.", _Nothing),
    )
)
"""Every verb of ALFWorld 0.4, in the order of its help text's families."""

_COMMANDS = {
    "go_to": "go to {receptacle}",
    "take": "take {object} from {receptacle}",
    "move": "move {object} to {receptacle}",
    "open": "open {receptacle}",
    "close": "close {receptacle}",
    "heat": "heat {object} with {receptacle}",
    "cool": "cool {object} with {receptacle}",
    "clean": "clean {object} with {receptacle}",
    "use": "use {object}",
    "slice": "slice {object} with {knife}",
    "examine": "examine {target}",
}


def command_from(action: Any, dialect: str = "0.4") -> str:
    """The text command that ``action`` stands for; whether it is possible is the engine's business.

    A string that does not begin like JSON is a command already and is returned as it is. Everything else must be a
    tool call (see `ToolSet.parse`). ``dialect`` is ``"0.4"`` or ``"0.3"``, in which objects are put in/on receptacles.
    Raises `ActionError` with a sentence for the agent, and nothing else, whatever ``action`` is.
    """
    if isinstance(action, str) and not action.lstrip().startswith(("{", "[")):
        if len(action) > MAX_ACTION_CHARACTERS:
            raise ActionError(f"The action has {len(action)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
        return action
    call = HOUSEHOLD_TOOLS.parse(action)
    if call.name == "move" and dialect == "0.3":
        return "put {object} in/on {receptacle}".format(**call.arguments)
    return _COMMANDS.get(call.name, call.name).format(**call.arguments)

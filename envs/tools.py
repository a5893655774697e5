"""Typed tools: what an agent may call, as OpenAI functions or MCP tools, and the parsing of what it calls.

A `Tool` is a name, a description and a pydantic model of its arguments. `ToolSet.parse` turns whatever an agent sends
into a checked `ToolCall`, or raises `ActionError` with a sentence for the agent: what was wrong, what is allowed.
Nothing an agent sends may raise anything else here, and nothing it sends is ever executed here.

>>> from pydantic import BaseModel
>>> class Take(BaseModel):
...     object: str
>>> tools = ToolSet([Tool("take", "Take an object.", Take)])
>>> tools.parse('{"name": "take", "arguments": {"object": "mug 1"}}')
ToolCall(name='take', arguments={'object': 'mug 1'})
>>> tools.parse({"name": "tale", "arguments": {}})  # doctest: +IGNORE_EXCEPTION_DETAIL
Traceback (most recent call last):
selfgym.envs.tools.ActionError: There is no tool 'tale'. Did you mean 'take'? Tools: take(object: string).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, NoReturn, Union

from pydantic import BaseModel, Field, ValidationError, create_model

MAX_ACTION_CHARACTERS = 65_536
"""A longer action is refused unread."""

_SHOWN = 60  # characters of a foreign text that are quoted back
_NEAR_ENOUGH = 100  # a name longer than this is not compared with the known ones: it costs its square
_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}
_FORM = '{"name": ..., "arguments": {...}}'


class ActionError(ValueError):
    """An action that cannot be understood. Its text is written for the agent."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool with arguments that fit its model."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an agent can do. The fields of ``parameters`` (their aliases, if they have one) are the arguments."""

    name: str
    description: str
    parameters: type[BaseModel]

    @classmethod
    def from_schema(cls, schema: Mapping[str, Any]) -> Tool:
        """The tool described by an OpenAI function schema (with or without its outer ``function``) or an MCP tool.

        Understands the types of JSON Schema, ``enum``, ``anyOf``, ``items``, ``$ref``, ``default`` and ``required``;
        anything else in a property is accepted unchecked. Raises `ValueError` where the name or the parameters are
        missing. Sources: OpenAI API reference, "tools"; Model Context Protocol 2025-06-18, "Tool".
        """
        inner = schema.get("function", schema)
        parameters = inner.get("parameters", inner.get("inputSchema", {"type": "object", "properties": {}}))
        if not isinstance(inner.get("name"), str) or parameters.get("type") != "object":
            raise ValueError(f"not the schema of a tool: it needs a name and parameters of type object: {schema!r}")
        fields: dict[str, Any] = {}
        for number, (name, one) in enumerate(parameters.get("properties", {}).items()):
            required = name in parameters.get("required", ())
            default = ... if required else one.get("default")
            kind = _type_from_schema(one, parameters.get("$defs", {}))
            if not required and default is None:
                kind = Union[kind, None]  # noqa: UP007 (kind is a value)
            # Only the alias may be any text: pydantic keeps names such as "json" or "_x" for itself.
            fields[f"argument_{number}"] = (kind, Field(default, alias=name, description=one.get("description")))
        return cls(inner["name"], inner.get("description", ""), create_model(inner["name"], **fields))

    def openai_schema(self) -> dict[str, Any]:
        """An entry of the ``tools`` of an OpenAI-compatible chat request."""
        inner = {"name": self.name, "description": self.description, "parameters": self._parameters()}
        return {"type": "function", "function": inner}

    def mcp_schema(self) -> dict[str, Any]:
        """An entry of the answer to MCP's ``tools/list``."""
        return {"name": self.name, "description": self.description, "inputSchema": self._parameters()}

    def signature(self) -> str:
        """The tool in one short line, optional arguments with a question mark: ``take(object: string)``."""
        schema = self._parameters()
        required = schema.get("required", ())
        arguments = (
            f"{name}{'' if name in required else '?'}: {one.get('type', 'any')}"
            for name, one in schema["properties"].items()
        )
        return f"{self.name}({', '.join(arguments)})"

    def check(self, arguments: Mapping[str, Any]) -> ToolCall:
        """A call with these arguments. Raises `ActionError` where one is missing, unknown or of the wrong type."""
        known = {field.alias or name: name for name, field in self.parameters.model_fields.items()}
        for name in arguments:
            if name not in known:
                raise ActionError(f"{self.name} has no argument {_quote(name)}.{_near(name, known)} {self._usage()}")
        try:
            checked = self.parameters.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(_quote(part).strip("'") for part in first["loc"])
            raise ActionError(f"{self.name}: argument '{where}': {first['msg'].lower()}. {self._usage()}") from None
        return ToolCall(self.name, {name: getattr(checked, field) for name, field in known.items()})

    def _parameters(self) -> dict[str, Any]:
        schema = self.parameters.model_json_schema()
        properties = {
            name: {key: value for key, value in one.items() if key != "title"}
            for name, one in schema.get("properties", {}).items()
        }
        kept: dict[str, Any] = {key: schema[key] for key in ("required", "$defs") if key in schema}
        return {"type": "object", "properties": properties, **kept, "additionalProperties": False}

    def _usage(self) -> str:
        return f"Use {self.signature()}."


class ToolSet:
    """The tools of one environment, in order."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ValueError(f"two tools are called {tool.name!r}")
            self._tools[tool.name] = tool

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    def openai_schemas(self) -> list[dict[str, Any]]:
        """The ``tools`` of an OpenAI-compatible chat request."""
        return [tool.openai_schema() for tool in self]

    def mcp_schemas(self) -> list[dict[str, Any]]:
        """The ``tools`` of an answer to MCP's ``tools/list``."""
        return [tool.mcp_schema() for tool in self]

    def parse(self, action: Any) -> ToolCall:
        """The one call that ``action`` makes.

        Accepts ``{"name", "arguments"}``, OpenAI's ``{"type": "function", "function": {"name", "arguments"}}``, a JSON
        string of either, and a `ToolCall`; ``arguments`` may be a JSON string, as OpenAI sends it, or absent. Raises
        `ActionError` for anything else, whatever it is.
        """
        name, arguments = _name_and_arguments(action)
        if name not in self._tools:
            signatures = "; ".join(tool.signature() for tool in self)
            raise ActionError(f"There is no tool {_quote(name)}.{_near(name, self._tools)} Tools: {signatures}.")
        return self._tools[name].check(arguments)


def _name_and_arguments(action: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(action, ToolCall):
        return action.name, action.arguments
    call = _object(action, "The action")
    if "function" in call:
        call = _object(call["function"], "'function'")
    if not isinstance(call.get("name"), str):
        raise ActionError(f"A tool call needs the name of a tool: {_FORM}.")
    arguments = call.get("arguments")
    return call["name"], {} if arguments is None else _object(arguments, f"The arguments of {_quote(call['name'])}")


def _object(data: Any, what: str) -> dict[str, Any]:
    """``data`` as a dictionary with text keys, parsed from JSON where it is text."""
    if isinstance(data, str):
        if len(data) > MAX_ACTION_CHARACTERS:
            raise ActionError(f"{what} has {len(data)} characters; the limit is {MAX_ACTION_CHARACTERS}.")
        try:
            data = json.loads(data, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise ActionError(f"{what} is not JSON: {_quote(data)}. Write {_FORM}.") from None
    if isinstance(data, list | tuple):
        raise ActionError(f"{what} is a list; make one call at a time: {_FORM}.")
    if not isinstance(data, dict):
        raise ActionError(f"{what} must be an object or its JSON, not {type(data).__name__}. Write {_FORM}.")
    for key in data:
        if not isinstance(key, str):
            raise ActionError(f"{what} has a key of type {type(key).__name__}; keys are text.")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _quote(text: object) -> str:
    shown = str(text) if isinstance(text, str | int) else type(text).__name__
    return ascii(shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "...")


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1) if len(name) <= _NEAR_ENOUGH else []
    return f" Did you mean {near[0]!r}?" if near else ""


def _type_from_schema(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        target = definitions.get(schema["$ref"].rpartition("/")[2], {})
        return _type_from_schema(target, {}) if "$ref" not in json.dumps(target) else Any
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if "anyOf" in schema:
        return Union[tuple(_type_from_schema(one, definitions) for one in schema["anyOf"])]  # noqa: UP007
    kind = schema.get("type")
    if isinstance(kind, list):
        return Union[tuple(_type_from_schema({**schema, "type": one}, definitions) for one in kind)]  # noqa: UP007
    if kind == "array":
        return list[_type_from_schema(schema.get("items", {}), definitions)]  # type: ignore[misc]
    if kind == "object":
        return dict[str, Any]
    return _TYPES.get(kind, Any) if isinstance(kind, str) else Any

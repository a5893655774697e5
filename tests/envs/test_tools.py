"""Tool calls: every form an agent may send is understood, and everything else is answered with a sentence."""

import contextlib
import json
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from selfgym.envs.household.tools import HOUSEHOLD_TOOLS, command_from
from selfgym.envs.tools import MAX_ACTION_CHARACTERS, ActionError, Tool, ToolCall, ToolSet


class Search(BaseModel):
    query: str
    limit: int = 5
    order: Literal["new", "old"] = "new"
    tags: list[str] = Field(default=[], description="Only these.")


SEARCH = Tool("search", "Search the shop.", Search)
TOOLS = ToolSet([SEARCH, Tool("wait", "Do nothing.", type("Wait", (BaseModel,), {}))])


@pytest.mark.parametrize(
    "action",
    [
        {"name": "search", "arguments": {"query": "ünï ✓"}},
        {"name": "search", "arguments": '{"query": "ünï ✓"}'},
        {"type": "function", "function": {"name": "search", "arguments": '{"query": "ünï ✓"}'}},
        {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": {"query": "ünï ✓"}}},
        '{"name": "search", "arguments": {"query": "ünï ✓"}}',
        ' {"type": "function", "function": {"name": "search", "arguments": "{\\"query\\": \\"ünï ✓\\"}"}}\n',
        ToolCall("search", {"query": "ünï ✓"}),
    ],
)
def test_every_form_of_a_call_is_the_same_call(action):
    assert TOOLS.parse(action) == ToolCall("search", {"query": "ünï ✓", "limit": 5, "order": "new", "tags": []})


def test_a_call_without_arguments():
    for action in ({"name": "wait"}, {"name": "wait", "arguments": None}, {"name": "wait", "arguments": {}}):
        assert TOOLS.parse(action) == ToolCall("wait", {})


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (
            {"name": "serach", "arguments": {}},
            r"no tool 'serach'\. Did you mean 'search'\? Tools: search\(query: string",
        ),
        ({"name": "x" * 99, "arguments": {}}, r"no tool 'x{60}\.\.\.'\. Tools: search"),
        (
            {"name": "search", "arguments": {}},
            r"argument 'query': field required\. Use search\(query: string, limit\?:",
        ),
        ({"name": "search", "arguments": {"query": 3}}, r"'query': input should be a valid string"),
        ({"name": "search", "arguments": {"query": "a", "order": "best"}}, r"'order': input should be 'new' or 'old'"),
        ({"name": "search", "arguments": {"query": "a", "tags": ["a", 3]}}, r"argument 'tags\.1': input should be a"),
        ({"name": "search", "arguments": {"qeury": "a"}}, r"no argument 'qeury'\. Did you mean 'query'\?"),
        ({"name": "search", "arguments": "{"}, r"arguments of 'search' is not JSON: '\{'"),
        ({"name": "search", "arguments": []}, r"arguments of 'search' is a list; make one call at a time"),
        ({"name": 3}, r"needs the name of a tool"),
        ({}, r"needs the name of a tool"),
        ({"type": "function", "function": None}, r"'function' must be an object or its JSON, not NoneType"),
        ([{"name": "wait"}], r"is a list; make one call at a time"),
        ({1: 2}, r"key of type int"),
        (None, r"not NoneType"),
        (b"wait", r"not bytes"),
        (3.5, r"not float"),
        ("wait", r"is not JSON: 'wait'\. Write \{\"name\""),
        ("", r"is not JSON: ''"),
        ("3", r"not int"),
        ('{"name": "search", "arguments": {"query": NaN}}', r"is not JSON"),
        ("[" * 60_000, r"is not JSON"),
        ("9" * 60_000, r"is not JSON"),
        ("{" * (MAX_ACTION_CHARACTERS + 1), r"has 65537 characters; the limit is 65536"),
        ("\ud800\x00", r"is not JSON: '\\ud800\\x00'"),
    ],
)
def test_a_wrong_call_is_answered_with_what_was_wrong_and_what_is_allowed(action, sentence):
    with pytest.raises(ActionError, match=sentence) as caught:
        TOOLS.parse(action)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@given(
    JSON_LIKE
    | st.fixed_dictionaries({"name": st.sampled_from(["search", "wait"]) | JSON_LIKE, "arguments": JSON_LIKE})
    | st.fixed_dictionaries({"type": st.just("function"), "function": JSON_LIKE})
    | st.builds(lambda data: json.dumps(data, default=repr), JSON_LIKE)
)
def test_nothing_but_an_action_error_ever_comes_out(action):
    for parse, kind in ((TOOLS.parse, ToolCall), (command_from, str)):
        with contextlib.suppress(ActionError):
            assert isinstance(parse(action), kind)


def test_schemas_have_the_form_of_openai_and_mcp_and_come_back():
    openai, mcp = SEARCH.openai_schema(), SEARCH.mcp_schema()
    assert openai["type"] == "function"
    assert openai["function"]["parameters"] == mcp["inputSchema"]
    assert mcp["inputSchema"] == {
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "limit": {"type": "integer", "default": 5},
            "order": {"type": "string", "enum": ["new", "old"], "default": "new"},
            "tags": {"type": "array", "items": {"type": "string"}, "default": [], "description": "Only these."},
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    for schema in (openai, openai["function"], mcp):
        again = Tool.from_schema(schema)
        assert again.mcp_schema() == mcp
        assert again.check({"query": "a", "limit": 2}).arguments == {
            "query": "a",
            "limit": 2,
            "order": "new",
            "tags": [],
        }
        with pytest.raises(ActionError, match="'limit'"):
            again.check({"query": "a", "limit": "many"})


def test_a_foreign_schema_with_difficult_names_and_types():
    tool = Tool.from_schema(
        {
            "name": "write-file",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "json": {"type": "object"},
                    "_path": {"$ref": "#/$defs/Path"},
                    "mode": {"type": ["integer", "null"]},
                    "model_config": {"anyOf": [{"type": "string"}, {"type": "number"}]},
                    "anything": {},
                },
                "required": ["json", "_path"],
                "$defs": {"Path": {"type": "string"}},
            },
        }
    )
    call = tool.check({"json": {"a": [1]}, "_path": "x", "model_config": 1.5})
    expected = {"json": {"a": [1]}, "_path": "x", "mode": None, "model_config": 1.5, "anything": None}
    assert call == ToolCall("write-file", expected)
    with pytest.raises(ActionError, match="argument '_path': input should be a valid string"):
        tool.check({"json": {}, "_path": 3})
    with pytest.raises(ValueError, match="needs a name and parameters"):
        Tool.from_schema({"description": "no name"})


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two tools are called 'search'"):
        ToolSet([SEARCH, SEARCH])


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("go_to", {"receptacle": "fridge 1"}, "go to fridge 1"),
        ("take", {"object": "mug 1", "receptacle": "shelf 2"}, "take mug 1 from shelf 2"),
        ("move", {"object": "mug 1", "receptacle": "shelf 2"}, "move mug 1 to shelf 2"),
        ("open", {"receptacle": "fridge 1"}, "open fridge 1"),
        ("close", {"receptacle": "fridge 1"}, "close fridge 1"),
        ("heat", {"object": "mug 1", "receptacle": "microwave 1"}, "heat mug 1 with microwave 1"),
        ("cool", {"object": "mug 1", "receptacle": "fridge 1"}, "cool mug 1 with fridge 1"),
        ("clean", {"object": "mug 1", "receptacle": "sinkbasin 1"}, "clean mug 1 with sinkbasin 1"),
        ("use", {"object": "desklamp 1"}, "use desklamp 1"),
        ("slice", {"object": "apple 1", "knife": "butterknife 1"}, "slice apple 1 with butterknife 1"),
        ("examine", {"target": "fridge 1"}, "examine fridge 1"),
        ("inventory", {}, "inventory"),
        ("look", {}, "look"),
        ("help", {}, "help"),
    ],
)
def test_every_household_verb_is_a_tool(name, arguments, command):
    assert command_from({"name": name, "arguments": arguments}) == command
    assert command_from(json.dumps({"name": name, "arguments": json.dumps(arguments)})) == command
    assert name in {tool.name for tool in HOUSEHOLD_TOOLS}


def test_household_commands_in_words_pass_unchanged_and_the_old_dialect_puts():
    assert command_from("go to fridge 1 ") == "go to fridge 1 "
    assert command_from("") == ""
    call = {"name": "move", "arguments": {"object": "{receptacle}", "receptacle": "shelf 2"}}
    assert command_from(call, dialect="0.3") == "put {receptacle} in/on shelf 2"
    with pytest.raises(ActionError, match="the limit is 65536"):
        command_from("a" * 100_000)
    with pytest.raises(ActionError, match=r"no tool 'goto'\. Did you mean 'go_to'\?"):
        command_from({"name": "goto", "arguments": {"receptacle": "fridge 1"}})


def test_there_are_fourteen_tools_with_schemas():
    assert len(HOUSEHOLD_TOOLS) == len(HOUSEHOLD_TOOLS.openai_schemas()) == len(HOUSEHOLD_TOOLS.mcp_schemas()) == 14
    for schema in HOUSEHOLD_TOOLS.mcp_schemas():
        assert schema["description"]
        assert all("description" in argument for argument in schema["inputSchema"]["properties"].values())

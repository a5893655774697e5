"""Tools over the Model Context Protocol, asked by the protocol's own client through the real command."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from selfgym.memory.item import Check, Code, Item, Origin, Taint
from selfgym.memory.library import Library, Status
from selfgym.memory.verify import climb

SOURCE = '''
def where_is(thing):
    """Where a thing was found."""
    return {"mug": ["shelf"]}.get(thing, [])
'''
PARAMS = {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]}


def tool(entry="where_is", source=SOURCE, check="assert where_is('mug') == ['shelf']", **fields):
    code = Code(runtime="mcp", entry=entry, source=source, params=PARAMS)
    checks = (Check(rung="unit", source=check),)
    return Item(
        **({"kind": "skill", "title": f"Tool: {entry}", "body": "Finds.", "code": code, "checks": checks} | fields)
    )


def asked(path, *calls):
    """(names of the tools, (text, whether an error) of each call)."""
    from mcp import Client, StdioServerParameters

    command = StdioServerParameters(
        command=str(Path(sys.executable).with_name("selfgym")), args=["memory", "serve", str(path)]
    )

    async def talk():
        async with Client(command) as client:
            names = [one.name for one in (await client.list_tools()).tools]
            answers = [await client.call_tool(name, given) for name, given in calls]
            return names, [(one.content[0].text, bool(one.is_error)) for one in answers]

    return asyncio.run(talk())


@pytest.fixture
def path(tmp_path):
    pytest.importorskip("mcp", reason="pip install 'selfgym[memory]'")
    return tmp_path / "m.db"


def test_a_client_finds_and_calls_what_passed_the_ladder(path, sandbox):
    with Library(path) as library:
        good, broken = tool(), tool("broken", SOURCE.replace("where_is", "broken"), "assert broken('mug') == 1")
        tainted = tool(
            "evil", SOURCE.replace("where_is", "evil"), "assert evil('mug')", origin=Origin(taint=(Taint.ENV_TEXT,))
        )
        for item in (good, broken, tainted):
            library.propose(item)
            climb(library, item.id, sandbox=sandbox)
        assert library.standing(good.id).status is Status.TRIAL
    names, answers = asked(
        path,
        ("where_is", {"thing": "mug"}),
        ("where_is", {"thing": "cup"}),
        ("where_is", {}),
        ("evil", {"thing": "mug"}),
    )
    assert names == ["where_is"]
    assert answers[:2] == [('["shelf"]', False), ("[]", False)]
    assert answers[2] == ("where_is lacks the argument 'thing'; it takes thing.", True)
    assert answers[3][1]
    assert "no tool 'evil'" in answers[3][0]
    with Library(path, readonly=True) as library:
        assert library.standing(good.id).used == 2

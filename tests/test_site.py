"""The site of `make docs` has every page and every module, and there is something to say of each public name.

Building it takes a minute or two and is left to `make docs`, where a warning is an error.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def sources() -> ModuleType:
    """`docs/site/sources.py`, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("sources", ROOT / "docs/site/sources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def laid_out(sources: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site")
    sources.lay_out(folder)
    return folder


def silent(body: list[ast.stmt], where: str) -> Iterator[str]:
    """The public classes, functions and methods below ``body`` that have no docstring."""
    for node in body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        if not ast.get_docstring(node) and not decorators & {"overload", "override", "setter"}:
            yield f"{where}.{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from silent(node.body, f"{where}.{node.name}")


def test_every_public_name_has_a_docstring(sources: ModuleType) -> None:
    missing = []
    for folder, modules in sources.folders():
        for module in modules:
            tree = ast.parse((ROOT / folder / f"{module}.py").read_text(encoding="utf-8"))
            name = sources.dotted(folder, module)
            missing += [*([] if ast.get_docstring(tree) else [name]), *silent(tree.body, name)]
    assert not missing


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert not {page for page in pages if f"]({page})" not in contents}


def test_every_module_is_in_the_api_once(sources: ModuleType, laid_out: Path) -> None:
    told = [
        line.removeprefix(".. automodule:: ")
        for page in (laid_out / "api").glob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith(".. automodule:: ")
    ]
    assert sorted(told) == sorted(
        sources.dotted(folder, module) for folder, names in sources.folders() for module in names
    )
    assert {"selfgym.envs.core", "selfgym.trainers.recipes.agent_r", "selfgym.cli.play", "selfgym.viewer.server"} <= {
        *told
    }


def test_links_lead_to_the_api_to_pages_and_to_files_that_come_along(sources: ModuleType, tmp_path: Path) -> None:
    def turned(text: str, page: str = "docs/page.md") -> str:
        told: str = sources.relinked(text, page, tmp_path)
        return told

    assert turned("[the `loop`](../trainers/evolve.py)") == "{py:mod}`the loop <selfgym.trainers.evolve>`"
    assert turned("[methods](../agents/methods)") == "[methods](../api/selfgym.agents.methods.md)"
    assert turned("[envs](envs/README.md)", "README.md") == "[envs](api/selfgym.envs.md)"
    assert turned("[front](../README.md#start)") == "[front](../index.md#start)"
    assert (
        turned("[web](web.md#the-browser), [x](https://x.test/y.py)")
        == "[web](web.md#the-browser), [x](https://x.test/y.py)"
    )
    assert turned("[tests](../tests/conformance)") == "tests"
    assert turned("![loop](loop.svg)") == "![loop](loop.svg)"
    assert (tmp_path / "docs/loop.svg").read_bytes() == (ROOT / "docs/loop.svg").read_bytes()
    assert turned("```python\nx = [a](web.md)\n```") == "```python\nx = [a](web.md)\n```"

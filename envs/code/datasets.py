"""Tasks that people have on disk, as plain records: HumanEval, MBPP and SWE-style instances.

A loader reads a file and yields `Problem` records; it runs nothing of what is in them and needs no network. What it
cannot make a problem of is a `DatasetError`, one sentence with file and line. Sources: the data cards of
openai_humaneval, google-research-datasets/mbpp (also "sanitized") and princeton-nlp/SWE-bench.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, ValidationError

from selfgym.envs.code import functions
from selfgym.envs.code.functions import FunctionError, unix
from selfgym.envs.code.packages import Package
from selfgym.envs.code.patches import PatchError, apply_patch
from selfgym.envs.code.problem import Problem
from selfgym.envs.code.records import DatasetError, read_records
from selfgym.envs.code.repositories import RepositoryError, read_repository

__all__ = ["DatasetError", "Problem", "load_humaneval", "load_mbpp", "load_problems", "load_swe"]

_TEST_ID = re.compile(r"[^:]+\.py(::.+)?", re.DOTALL)
_TEST_FOLDERS = {"test", "tests", "testing"}
_TEST_FILE = re.compile(r"(test_.*|.*_test|conftest)\.py")

SOLUTION = "solution.py"
"""The file in which a single function is to be written."""

HIDDEN_TEST = "test_hidden.py"
"""The file of hidden tests of a single function."""


def _decoded(value: Any) -> Any:
    """A list that was stored as its JSON, as SWE-bench stores the names of tests."""
    return json.loads(value) if isinstance(value, str) else value


_Tests = Annotated[list[str], BeforeValidator(_decoded)]


class _HumanEval(BaseModel):
    task_id: str
    prompt: str
    canonical_solution: str
    test: str
    entry_point: str


class _Mbpp(BaseModel):
    task_id: int | str
    text: str = Field(validation_alias=AliasChoices("text", "prompt"))
    code: str
    test_list: list[str] = Field(min_length=1)
    challenge_test_list: list[str] = []
    test_setup_code: str = ""
    test_imports: list[str] = []


class _Swe(BaseModel):
    instance_id: str
    repo: str
    base_commit: str
    problem_statement: str
    patch: str
    test_patch: str
    fail_to_pass: _Tests = Field(validation_alias=AliasChoices("FAIL_TO_PASS", "fail_to_pass"), min_length=1)
    pass_to_pass: _Tests = Field([], validation_alias=AliasChoices("PASS_TO_PASS", "pass_to_pass"))
    repo_path: str | None = None


_Record = TypeVar("_Record", bound=BaseModel)
Refused = Callable[[DatasetError], None]
"""Told of each record that is no problem; the rest go on."""


def load_problems(
    path: str | Path, *, repositories: str | Path | None = None, refused: Refused | None = None
) -> Iterator[Problem]:
    """The problems of a file whose format is recognised from its first record.

    ``repositories`` is for SWE-style files, see `load_swe`. A record that is not a problem raises `DatasetError`, or is
    handed to ``refused`` and left out where that is given; a file that is not JSON raises it in any case.
    """
    _, first = next(read_records(Path(path)), ("", {}))
    if {"instance_id", "base_commit"} <= first.keys():
        return load_swe(path, repositories=repositories, refused=refused)
    if {"entry_point", "canonical_solution"} <= first.keys():
        return load_humaneval(path, refused=refused)
    if "test_list" in first:
        return load_mbpp(path, refused=refused)
    raise DatasetError(
        f"{path}: the first record is of no known format; its fields are {', '.join(first) or 'none'}. HumanEval has "
        "entry_point and canonical_solution, MBPP has test_list, SWE-style instances have instance_id and base_commit"
    )


def load_humaneval(path: str | Path, *, refused: Refused | None = None) -> Iterator[Problem]:
    """The problems of a HumanEval file (JSON lines, also gzipped): complete the function of a prompt."""
    return _problems(Path(path), _HumanEval, lambda one, _: _from_humaneval(one), refused)


def load_mbpp(path: str | Path, *, refused: Refused | None = None) -> Iterator[Problem]:
    """The problems of an MBPP file (JSON lines, or the array of the sanitized version): write a function.

    The workspace has the signature, the statement the first of the tests; without them the name and the order of
    arguments could only be guessed. All tests decide, the challenge tests too.
    """
    return _problems(Path(path), _Mbpp, lambda one, _: _from_mbpp(one), refused)


def load_swe(
    path: str | Path, *, repositories: str | Path | None = None, refused: Refused | None = None
) -> Iterator[Problem]:
    """The problems of a SWE-style file (JSON lines or array): repair a repository so that an issue is resolved.

    ``repositories`` is the folder that holds the repositories, by default ``repos`` beside the file; how one is found
    in it says `selfgym.envs.code.repositories.read_repository`. A record's ``repo_path`` is relative to it.
    """
    folder = Path(path).parent / "repos" if repositories is None else Path(repositories)
    return _problems(Path(path), _Swe, lambda one, where: _from_swe(one, where, folder), refused)


def _problems(
    path: Path, model: type[_Record], make: Callable[[_Record, str], Problem], refused: Refused | None
) -> Iterator[Problem]:
    for where, data in read_records(path):
        try:
            problem = _made(model, make, where, data)
        except DatasetError as error:
            if refused is None:
                raise
            refused(error)
            continue
        yield problem


def _made(model: type[_Record], make: Callable[[_Record, str], Problem], where: str, data: dict[str, Any]) -> Problem:
    try:
        return make(model.model_validate(data), where)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise DatasetError(f"{where}: the field {name}: {first['msg'].lower()}") from None
    except (FunctionError, PatchError, RepositoryError, UnicodeEncodeError) as error:
        raise DatasetError(f"{where}: {error}") from None


def _from_humaneval(record: _HumanEval) -> Problem:
    name = record.entry_point
    prompt, whole = unix(record.prompt), unix(record.prompt + record.canonical_solution)
    hidden = functions.check_file(whole, name, unix(record.test))
    return Problem(
        id=record.task_id,
        statement=f"Complete the function {name} in {SOLUTION}, as its docstring says:\n\n{prompt.strip()}",
        package=_function_package(record.task_id),
        files={SOLUTION: functions.completed(prompt, name).encode()},
        hidden={HIDDEN_TEST: hidden.encode()},
        tests=(f"{HIDDEN_TEST}::test_solution",),
        solution={SOLUTION: whole.encode()},
    )


def _from_mbpp(record: _Mbpp) -> Problem:
    code, setup, imports = unix(record.code), unix(record.test_setup_code), unix("\n".join(record.test_imports))
    tests = [unix(one).strip() for one in (*record.test_list, *record.challenge_test_list)]
    names = functions.needed_names(code, setup, tests, imports)
    hidden = functions.assertions_file(imports, setup, names, tests)
    return Problem(
        id=f"MBPP/{record.task_id}",
        statement=f"{record.text.strip()}\n\nWrite it in {SOLUTION}. For example, this must hold:\n\n{tests[0]}",
        package=_function_package(f"MBPP/{record.task_id}"),
        files={SOLUTION: functions.stub(code, names).encode()},
        hidden={HIDDEN_TEST: hidden.encode()},
        tests=tuple(f"{HIDDEN_TEST}::test_{number}" for number in range(1, len(tests) + 1)),
        solution={SOLUTION: code.encode()},
    )


def _from_swe(record: _Swe, where: str, folder: Path) -> Problem:
    name = record.instance_id
    files = read_repository(folder, record.repo, record.base_commit, record.repo_path)
    solution = _patched(name, "patch", files, record.patch)
    changed_tests = _patched(name, "test_patch", files, record.test_patch)
    tests = tuple(dict.fromkeys((*record.fail_to_pass, *record.pass_to_pass)))
    graded = {path: data for path, data in (files | changed_tests).items() if data is not None}
    for test in tests:
        if not _TEST_ID.fullmatch(test):
            raise DatasetError(
                f"{where}: {name}: {test!r} is not a test that pytest could be asked for (file.py::name)"
            )
        if test.partition("::")[0] not in graded:
            raise DatasetError(f"{where}: {name}: {test!r} is in no file of the repository or of test_patch")
    named = {test.partition("::")[0] for test in tests}
    configured = {path for path in graded if path.rpartition("/")[2] == "conftest.py" and path not in solution}
    return Problem(
        id=name,
        statement=record.problem_statement,
        package=_repository_package(name, files, solution.keys()),
        files=files,
        hidden={path: graded[path] for path in sorted(named | configured | changed_tests.keys()) if path in graded},
        tests=tests,
        solution={path: data for path, data in solution.items() if data is not None},
        removed=tuple(path for path, data in solution.items() if data is None),
    )


def _function_package(name: str) -> Package:
    """How a single function is tested: whatever tests its author writes, and only its own file counts."""
    return _package(name, sources=(SOLUTION,), tests=(".",))


def _repository_package(name: str, files: Mapping[str, bytes], changed: Iterable[str]) -> Package:
    """How a repository is tested: Python files count unless they look like tests and the reference left them alone."""
    python = [path for path in (*files, *changed) if path.endswith(".py")]
    above = {place for path in changed for place in _test_places(path)}
    tests = {next((place for place in _test_places(path) if place not in above), "") for path in files} - {""}
    folders = [folder for folder in ("src", "lib") if any(path.startswith(folder + "/") for path in python)]
    sources = tuple(sorted({path.partition("/")[0] for path in python}))
    return _package(name, sources, tuple(sorted(tests)) or (".",), (*folders, "."))


def _test_places(path: str) -> Iterator[str]:
    """The folders of tests that a file is in, outermost first, and the file itself where its name is that of a test."""
    *folders, name = path.split("/")
    for depth, folder in enumerate(folders, 1):
        if folder in _TEST_FOLDERS:
            yield "/".join(folders[:depth])
    if _TEST_FILE.fullmatch(name):
        yield path


def _package(
    name: str, sources: tuple[str, ...], tests: tuple[str, ...], python_path: tuple[str, ...] = (".",)
) -> Package:
    return Package(
        name, version="", archive="", sha256="", split="test", sources=sources, tests=tests, python_path=python_path
    )


def _patched(name: str, which: str, files: Mapping[str, bytes], patch: str) -> dict[str, bytes | None]:
    try:
        return apply_patch(files, patch)
    except PatchError as error:
        raise PatchError(f"{name}: {which}: {error}") from None

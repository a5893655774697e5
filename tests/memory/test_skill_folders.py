"""Skills as SKILL.md folders: other tools take ours, ours come back the same, theirs come back byte for byte."""

from __future__ import annotations

import pytest
from skills_ref import validate

from selfgym.memory.exchange.files import CannotWriteError, DamagedFileError
from selfgym.memory.exchange.skill_folders import export_skill, import_skill
from selfgym.memory.gate import NotAdmittedError, admit
from selfgym.memory.item import Check, Code, Item, Taint
from selfgym.memory.library import Status
from selfgym.memory.verify import climb

CHECK = Check(rung="unit", source="assert next(warm_up('egg')) == 'heat egg'")
PARAMS = {"type": "object", "properties": {"thing": {"type": "string"}}}


def ours(**fields):
    source = 'def warm_up(thing):\n    """Heat it."""\n    yield f"heat {thing}"\n'
    code = Code(
        **({"runtime": "python", "entry": "warm_up", "source": source, "params": PARAMS} | fields.pop("code", {}))
    )
    base = {
        "kind": "skill",
        "title": "Warm: a thing",
        "when": 'when "hot" --- or # warm',
        "body": "Use it.\n---\nOften.",
    }
    return Item(**(base | {"code": code, "checks": (CHECK,)} | fields))


VARIANTS = [
    ours(),
    ours(code={"runtime": "actions", "source": "heat {thing}"}),
    ours(code={"runtime": "mcp", "entry": "Warm_Up2"}, when=""),
    ours(code={"runtime": "folder", "source": "Read this.\n", "params": {}}, checks=()),
    ours(when="ünïcödé ✓ 'quotes' \\ back: slash", body="", title="- x: {y} [z] & *a !b | > % @ `"),
]


@pytest.mark.parametrize("item", VARIANTS)
def test_an_item_goes_out_and_comes_back(tmp_path, item):
    folder = export_skill(item, tmp_path)
    assert validate(folder) == []
    back = import_skill(folder, run="r")
    assert back.id == item.id
    assert (back.origin.taint, back.origin.method, back.origin.run) == ((Taint.IMPORTED,), "import", "r")
    (tmp_path / "again").mkdir()
    again = export_skill(back, tmp_path / "again")
    assert (again / "SKILL.md").read_bytes() == (folder / "SKILL.md").read_bytes()


THEIRS = """---
name: pdf-forms
description: >
  Fills forms in PDF files: use it
  when a user hands over a form.
license: Apache-2.0
metadata:
  author: somebody
  version: "1.0"
---

# Forms

Run `scripts/fill.py`.
"""


@pytest.fixture
def theirs(tmp_path):
    folder = tmp_path / "pdf-forms"
    (folder / "scripts").mkdir(parents=True)
    (folder / "SKILL.md").write_text(THEIRS)
    (folder / "scripts" / "fill.py").write_bytes(b"import os\r\nprint('fill')\r\n")
    return folder


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_somebody_else_comes_back_byte_for_byte(theirs, tmp_path):
    assert validate(theirs) == []
    item = import_skill(theirs)
    assert (item.title, item.code.runtime, item.code.entry) == ("pdf-forms", "folder", "pdf_forms")
    assert item.when.startswith("Fills forms in PDF files: use it when")
    assert item.code.source.strip().startswith("# Forms")
    (tmp_path / "out").mkdir()
    assert files_of(export_skill(item, tmp_path / "out")) == files_of(theirs)


def test_what_is_imported_is_not_shown_before_it_is_borne_out(theirs, library, sandbox):
    item = import_skill(theirs)
    library.propose(item)
    with pytest.raises(NotAdmittedError, match=r"tainted \(imported\)"):
        admit(library, item.id, Status.TRIAL, "")
    own = import_skill(export_skill(ours(), theirs.parent))
    library.propose(own)
    assert climb(library, own.id, sandbox=sandbox) is Status.CANDIDATE


def test_one_that_was_edited_elsewhere_is_another_skill(tmp_path):
    folder = export_skill(ours(), tmp_path)
    text = (folder / "SKILL.md").read_text()
    (folder / "SKILL.md").write_text(text.replace("Use it.", "Use it twice."))
    edited = import_skill(folder)
    assert edited.id != ours().id
    assert edited.code.runtime == "folder"
    assert "Use it twice." in edited.code.source


def test_a_folder_that_exists_is_left_alone(tmp_path):
    export_skill(ours(), tmp_path)
    with pytest.raises(CannotWriteError, match="not an empty folder"):
        export_skill(ours(), tmp_path)
    with pytest.raises(CannotWriteError, match="only a skill"):
        export_skill(Item(kind="insight", title="No skill"), tmp_path)


def spoil(text):
    return lambda folder: (folder / "SKILL.md").write_text(text)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "SKILL.md").unlink(), "has no SKILL.md"),
        (spoil("# no front matter"), "does not begin with front matter"),
        (spoil("---\nname: [\n---\n"), "is no YAML"),
        (spoil("---\n- a\n---\n"), "names with values"),
        (spoil("---\nname: pdf-forms\n---\n"), "description must be text"),
        (spoil("---\nname: pdf-forms\ndescription: ''\n---\n"), "description must be text"),
        (spoil("---\nname: PDF\ndescription: d\n---\n"), "lower-case"),
        (spoil("---\nname: other\ndescription: d\n---\n"), "they must be the same"),
        (spoil("---\nname: pdf-forms\ndescription: d\nversion: 1\n---\n"), "'version' is no field"),
        (spoil("---\nname: pdf-forms\ndescription: !!python/object:os.system x\n---\n"), "is no YAML"),
        (spoil("---\nname: pdf-forms\ndescription: \"hidden \\u202e\"\n---\n"), "U\\+202E"),
        (lambda folder: (folder / "logo.png").write_bytes(b"\x89PNG\xff"), "is no text"),
        (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "no ordinary file"),
        (lambda folder: (folder / "big.txt").write_text("x" * 2**21), "more than 1048576 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_skill_is_said_to_be_none(theirs, damage, words):
    damage(theirs)
    with pytest.raises(DamagedFileError, match=words):
        import_skill(theirs)


def test_damage_to_our_own_part_is_told(tmp_path):
    folder = export_skill(ours(), tmp_path)
    (folder / "references" / "selfgym.json").write_text("{")
    with pytest.raises(DamagedFileError, match=r"selfgym.json is damaged"):
        import_skill(folder)


def test_nothing_is_written_outside_the_folder(tmp_path):
    files = {"SKILL.md": "---\nname: x\ndescription: d\n---\n", "../../escaped.txt": "no"}
    item = Item(kind="skill", title="x", code=Code(runtime="folder", entry="x", source="s", files=files))
    with pytest.raises(CannotWriteError, match="outside"):
        export_skill(item, tmp_path)
    assert list(tmp_path.iterdir()) == []

"""Notes with a title, a text and a tag."""

from typing import Literal

from .endpoint import Call, reads, writes
from .schema import Row


@reads
def search(call: Call, query: str = "", tag: str = "", page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """Notes in the order they were made that have the query in title or text, and this tag."""
    return call.page(
        "select * from notes where (? = '' or tag = ?) and (title like ? or body like ?) order by id",
        *(tag, tag, f"%{query}%", f"%{query}%"),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show(call: Call, note_id: int) -> Row:
    """One note."""
    return call.one("notes", note_id, "note")


@reads
def pinned(call: Call) -> list[Row]:
    """The notes that are pinned."""
    return call.rows("select * from notes where pinned = 1 order by id")


@reads
def tags(call: Call) -> list[Row]:
    """The tags, and how many notes each has."""
    return call.rows("select tag, count(*) as notes from notes group by tag order by tag")


@writes
def create(call: Call, title: str, body: str, tag: str = "") -> Row:
    """Write a note."""
    return call.add("notes", title=title, body=body, tag=tag, pinned=0, created=call.now)


@writes
def update(call: Call, note_id: int, field: Literal["title", "body"], value: str) -> Row:
    """Replace the title or the text of a note."""
    call.one("notes", note_id, "note")
    return call.change("notes", note_id, **{field: value})


@writes
def append(call: Call, note_id: int, line: str) -> Row:
    """Add a line at the end of a note."""
    note = call.one("notes", note_id, "note")
    return call.change("notes", note_id, body=call.longer(note["body"], line))


@writes
def set_tag(call: Call, note_id: int, tag: str) -> Row:
    """Give a note another tag."""
    call.one("notes", note_id, "note")
    return call.change("notes", note_id, tag=tag)


@writes
def pin(call: Call, note_id: int, pinned: bool = True) -> Row:
    """Pin a note, or take the pin off."""
    call.one("notes", note_id, "note")
    return call.change("notes", note_id, pinned=int(pinned))


@writes
def delete(call: Call, note_id: int) -> Row:
    """Delete a note."""
    note = call.one("notes", note_id, "note")
    call.remove("notes", id=note_id)
    return note

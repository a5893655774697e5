"""Task lists."""

from typing import Literal

from .endpoint import ApiError, Call, Date, reads, writes
from .schema import Row

Priority = Literal["low", "normal", "high"]


@reads
def lists(call: Call) -> list[Row]:
    """The lists."""
    return call.rows("select * from todo_lists order by id")


@reads
def tasks(call: Call, list_id: int, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The tasks of a list, done or not, in the order they were made."""
    call.one("todo_lists", list_id, "list")
    sql = "select * from tasks where list_id = ? order by id"
    return call.page(sql, list_id, page_index=page_index, page_limit=page_limit)


@reads
def search(call: Call, query: str = "", page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The tasks of all lists that have the query in the title."""
    sql = "select * from tasks where title like ? order by id"
    return call.page(sql, f"%{query}%", page_index=page_index, page_limit=page_limit)


@reads
def due(call: Call, date: Date, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The tasks that are not done and due on or before a date, the earliest first."""
    sql = "select * from tasks where done = 0 and due <= ? order by due, id"
    return call.page(sql, date, page_index=page_index, page_limit=page_limit)


@reads
def show(call: Call, task_id: int) -> Row:
    """One task."""
    return call.one("tasks", task_id, "task")


@writes
def create(call: Call, list_id: int, title: str, due: Date, priority: Priority = "normal") -> Row:
    """Add a task to a list."""
    call.one("todo_lists", list_id, "list")
    return call.add("tasks", list_id=list_id, title=title, due=due, priority=priority, done=0)


@writes
def complete(call: Call, task_id: int, done: bool = True) -> Row:
    """Mark a task as done, or as not done."""
    call.one("tasks", task_id, "task")
    return call.change("tasks", task_id, done=int(done))


@writes
def set_due(call: Call, task_id: int, due: Date) -> Row:
    """Give a task another date."""
    call.one("tasks", task_id, "task")
    return call.change("tasks", task_id, due=due)


@writes
def set_priority(call: Call, task_id: int, priority: Priority) -> Row:
    """Give a task another priority."""
    call.one("tasks", task_id, "task")
    return call.change("tasks", task_id, priority=priority)


@writes
def rename(call: Call, task_id: int, title: str) -> Row:
    """Give a task another title."""
    call.one("tasks", task_id, "task")
    return call.change("tasks", task_id, title=title)


@writes
def move(call: Call, task_id: int, list_id: int) -> Row:
    """Put a task into another list."""
    call.one("tasks", task_id, "task")
    call.one("todo_lists", list_id, "list")
    return call.change("tasks", task_id, list_id=list_id)


@writes
def delete(call: Call, task_id: int) -> Row:
    """Delete a task."""
    task = call.one("tasks", task_id, "task")
    call.remove("tasks", id=task_id)
    return task


@writes
def create_list(call: Call, name: str) -> Row:
    """Make an empty list."""
    if call.rows("select id from todo_lists where name = ?", name):
        raise ApiError(f"there is a list {name!r} already")
    return call.add("todo_lists", name=name)


@writes
def delete_list(call: Call, list_id: int) -> Row:
    """Delete a list that has no tasks."""
    found = call.one("todo_lists", list_id, "list")
    if call.rows("select id from tasks where list_id = ?", list_id):
        raise ApiError(f"list {list_id} is not empty")
    call.remove("todo_lists", id=list_id)
    return found

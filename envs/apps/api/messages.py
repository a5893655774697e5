"""Text messages, by phone number."""

from .endpoint import ApiError, Call, reads, writes
from .schema import Row


@reads
def chats(call: Call) -> list[Row]:
    """The phone numbers with which there are messages, and how many of theirs are unread."""
    return call.rows(
        "select phone, count(*) as messages, sum(read = 0) as unread from messages group by phone order by phone"
    )


@reads
def chat(call: Call, phone: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The messages from and to a phone number, newest first."""
    sql = "select * from messages where phone = ? order by at desc, id desc"
    return call.page(sql, phone, page_index=page_index, page_limit=page_limit)


@reads
def search(call: Call, query: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The messages that have the query in their text, newest first."""
    sql = "select * from messages where text like ? order by at desc, id desc"
    return call.page(sql, f"%{query}%", page_index=page_index, page_limit=page_limit)


@reads
def unread(call: Call, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The messages that were received and not read, newest first."""
    sql = "select * from messages where read = 0 order by at desc, id desc"
    return call.page(sql, page_index=page_index, page_limit=page_limit)


@reads
def show(call: Call, message_id: int) -> Row:
    """One message."""
    return call.one("messages", message_id, "message")


@writes
def send(call: Call, phone: str, text: str) -> Row:
    """Send a message to a phone number."""
    if not phone.replace("-", "").isdigit():
        raise ApiError(f"{phone!r} is no phone number")
    return call.add("messages", phone=phone, direction="sent", text=text, at=call.now, read=1)


@writes
def mark(call: Call, message_id: int, read: bool = True) -> Row:
    """Mark a message as read or unread."""
    call.one("messages", message_id, "message")
    return call.change("messages", message_id, read=int(read))


@writes
def delete(call: Call, message_id: int) -> Row:
    """Delete a message."""
    message = call.one("messages", message_id, "message")
    call.remove("messages", id=message_id)
    return message


@reads
def blocked(call: Call) -> list[str]:
    """The phone numbers that are blocked."""
    return [row["phone"] for row in call.rows("select phone from blocked order by id")]


@writes
def block(call: Call, phone: str) -> Row:
    """Block a phone number."""
    if call.rows("select id from blocked where phone = ?", phone):
        raise ApiError(f"{phone} is blocked already")
    return call.add("blocked", phone=phone)


@writes
def unblock(call: Call, phone: str) -> str:
    """Take a phone number off the list of blocked ones."""
    if not call.rows("select id from blocked where phone = ?", phone):
        raise ApiError(f"{phone} is not blocked")
    call.remove("blocked", phone=phone)
    return phone

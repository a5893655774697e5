"""Mail: an inbox, what was sent, drafts, an archive and a bin."""

from typing import Literal

from .endpoint import ApiError, Call, reads, writes
from .schema import Row

Folder = Literal["inbox", "sent", "drafts", "archive", "trash"]


@reads
def search(
    call: Call,
    query: str = "",
    sender: str = "",
    folder: Folder = "inbox",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Mails of a folder, newest first, that have the query in subject or body and come from this sender's address."""
    return call.page(
        "select * from mail where folder = ? and (? = '' or sender = ?) and (subject like ? or body like ?) "
        "order by at desc, id desc",
        *(folder, sender, sender, f"%{query}%", f"%{query}%"),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def unread(call: Call, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """Unread mails of the inbox, newest first."""
    sql = "select * from mail where folder = 'inbox' and read = 0 order by at desc, id desc"
    return call.page(sql, page_index=page_index, page_limit=page_limit)


@reads
def show(call: Call, mail_id: int) -> Row:
    """One mail."""
    return call.one("mail", mail_id, "mail")


@writes
def send(call: Call, to: list[str], subject: str, body: str) -> Row:
    """Send a mail to one or more addresses."""
    return _new(call, "sent", to, subject, body)


@writes
def reply(call: Call, mail_id: int, body: str) -> Row:
    """Answer the sender of a mail; the subject is the old one after "Re: "."""
    mail = call.one("mail", mail_id, "mail")
    return _new(call, "sent", [mail["sender"]], f"Re: {mail['subject']}", body)


@writes
def forward(call: Call, mail_id: int, to: list[str]) -> Row:
    """Send a mail on; the subject is the old one after "Fwd: ", the body stays."""
    mail = call.one("mail", mail_id, "mail")
    return _new(call, "sent", to, f"Fwd: {mail['subject']}", mail["body"])


@writes
def draft(call: Call, to: list[str], subject: str, body: str) -> Row:
    """Write a mail without sending it."""
    return _new(call, "drafts", to, subject, body)


@writes
def send_draft(call: Call, mail_id: int) -> Row:
    """Send a mail of the drafts."""
    if call.one("mail", mail_id, "mail")["folder"] != "drafts":
        raise ApiError(f"mail {mail_id} is no draft")
    return call.change("mail", mail_id, folder="sent", at=call.now)


@writes
def move(call: Call, mail_id: int, folder: Literal["inbox", "archive", "trash"]) -> Row:
    """Put a mail into another folder."""
    call.one("mail", mail_id, "mail")
    return call.change("mail", mail_id, folder=folder)


@writes
def star(call: Call, mail_id: int, starred: bool = True) -> Row:
    """Put a star on a mail, or take it off."""
    call.one("mail", mail_id, "mail")
    return call.change("mail", mail_id, starred=int(starred))


@writes
def mark(call: Call, mail_id: int, read: bool = True) -> Row:
    """Mark a mail as read or unread."""
    call.one("mail", mail_id, "mail")
    return call.change("mail", mail_id, read=int(read))


@writes
def label(call: Call, mail_id: int, label: str) -> Row:
    """Give a mail a label; an empty one takes it off."""
    call.one("mail", mail_id, "mail")
    return call.change("mail", mail_id, label=label)


@writes
def delete(call: Call, mail_id: int) -> Row:
    """Delete a mail for good."""
    mail = call.one("mail", mail_id, "mail")
    call.remove("mail", id=mail_id)
    return mail


def _new(call: Call, folder: str, to: list[str], subject: str, body: str) -> Row:
    if not to or not all("@" in address and ", " not in address for address in to):
        raise ApiError("'to' must be a list of mail addresses")
    return call.add(
        "mail",
        folder=folder,
        sender=call.me["email"],
        recipients=", ".join(to),
        subject=subject,
        body=body,
        at=call.now,
        read=1,
        starred=0,
        label="",
    )

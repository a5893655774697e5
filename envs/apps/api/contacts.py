"""The address book: people, and groups of them."""

from typing import Literal

from .endpoint import ApiError, Call, Date, reads, writes
from .schema import Row


@reads
def search(call: Call, query: str = "", page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """Contacts by name that have the query in name, email, phone, company or city."""
    return call.page(
        "select * from contacts where name like ? or email like ? or phone like ? or company like ? or city like ? "
        "order by name, id",
        *(f"%{query}%",) * 5,
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show(call: Call, contact_id: int) -> Row:
    """One contact."""
    return call.one("contacts", contact_id, "contact")


@reads
def favorites(call: Call) -> list[Row]:
    """The contacts marked as favorites, by name."""
    return call.rows("select * from contacts where favorite = 1 order by name, id")


@reads
def birthdays(call: Call, month: int) -> list[Row]:
    """The contacts born in a month (1 to 12), in the order of days."""
    return call.rows(
        "select * from contacts where cast(substr(birthday, 6, 2) as int) = ? order by substr(birthday, 6), id", month
    )


@writes
def create(
    call: Call,
    name: str,
    email: str,
    phone: str,
    birthday: Date = "1990-01-01",
    company: str = "",
    city: str = "",
) -> Row:
    """Add a contact."""
    if call.rows("select id from contacts where email = ?", email):
        raise ApiError(f"there is a contact with the address {email} already")
    more = {"birthday": birthday, "company": company, "city": city, "favorite": 0}
    return call.add("contacts", name=name, email=email, phone=phone, **more)


@writes
def update(call: Call, contact_id: int, field: Literal["name", "email", "phone", "company", "city"], value: str) -> Row:
    """Change one field of a contact."""
    call.one("contacts", contact_id, "contact")
    return call.change("contacts", contact_id, **{field: value})


@writes
def set_favorite(call: Call, contact_id: int, favorite: bool = True) -> Row:
    """Mark a contact as a favorite, or take the mark off."""
    call.one("contacts", contact_id, "contact")
    return call.change("contacts", contact_id, favorite=int(favorite))


@writes
def delete(call: Call, contact_id: int) -> Row:
    """Delete a contact, from its groups too."""
    contact = call.one("contacts", contact_id, "contact")
    call.remove("group_members", contact_id=contact_id)
    call.remove("contacts", id=contact_id)
    return contact


@reads
def groups(call: Call) -> list[Row]:
    """The groups."""
    return call.rows("select * from groups order by id")


@reads
def members(call: Call, group_id: int) -> list[Row]:
    """The contacts in a group, by name."""
    call.one("groups", group_id, "group")
    return call.rows(
        "select contacts.* from contacts join group_members on contact_id = contacts.id where group_id = ? "
        "order by name, contacts.id",
        group_id,
    )


@writes
def create_group(call: Call, name: str) -> Row:
    """Make an empty group."""
    if call.rows("select id from groups where name = ?", name):
        raise ApiError(f"there is a group {name!r} already")
    return call.add("groups", name=name)


@writes
def add_member(call: Call, group_id: int, contact_id: int) -> Row:
    """Put a contact into a group."""
    call.one("groups", group_id, "group")
    call.one("contacts", contact_id, "contact")
    if call.rows("select id from group_members where group_id = ? and contact_id = ?", group_id, contact_id):
        raise ApiError(f"contact {contact_id} is in group {group_id} already")
    return call.add("group_members", group_id=group_id, contact_id=contact_id)


@writes
def remove_member(call: Call, group_id: int, contact_id: int) -> Row:
    """Take a contact out of a group."""
    found = call.rows("select * from group_members where group_id = ? and contact_id = ?", group_id, contact_id)
    if not found:
        raise ApiError(f"contact {contact_id} is not in group {group_id}")
    call.remove("group_members", id=found[0]["id"])
    return found[0]

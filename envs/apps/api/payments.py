"""Payments: a wallet, money sent and received, and requests for money. Wants the token of a login."""

from typing import Literal

from .endpoint import ApiError, Call, reads, writes
from .schema import Row
from .tokens import opened_session


@writes
def login(call: Call, password: str) -> Row:
    """An access_token for the other endpoints, for the password that supervisor.passwords gives."""
    return opened_session(call, "payments", password)


@reads
def balance(call: Call) -> int:
    """Whole dollars in the wallet."""
    return int(call.rows("select balance from wallet")[0]["balance"])


@writes
def send(call: Call, email: str, amount: int, note: str = "") -> Row:
    """Send whole dollars to somebody by mail address."""
    return _send(call, email, amount, note)


@writes
def request(call: Call, email: str, amount: int, note: str = "") -> Row:
    """Ask somebody for whole dollars."""
    _check(call, email, amount)
    more = {"amount": amount, "note": note, "status": "pending", "at": call.now}
    return call.add("requests", direction="outgoing", email=email, **more)


@reads
def transactions(
    call: Call,
    email: str = "",
    direction: Literal["", "sent", "received"] = "",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Money sent and received, newest first; with one address or direction only, if given."""
    return call.page(
        "select * from transactions where (? = '' or email = ?) and (? = '' or direction = ?) "
        "order by at desc, id desc",
        *(email, email, direction, direction),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show_transaction(call: Call, transaction_id: int) -> Row:
    """One transaction."""
    return call.one("transactions", transaction_id, "transaction")


@writes
def set_note(call: Call, transaction_id: int, note: str) -> Row:
    """Replace the note of a transaction."""
    call.one("transactions", transaction_id, "transaction")
    return call.change("transactions", transaction_id, note=note)


@reads
def requests(
    call: Call,
    direction: Literal["incoming", "outgoing"],
    status: Literal["", "pending", "paid", "declined", "withdrawn"] = "",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Requests for money that came in or went out, of this status, newest first."""
    return call.page(
        "select * from requests where direction = ? and (? = '' or status = ?) order by at desc, id desc",
        *(direction, status, status),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show_request(call: Call, request_id: int) -> Row:
    """One request for money."""
    return call.one("requests", request_id, "request")


@writes
def pay_request(call: Call, request_id: int) -> Row:
    """Pay what a pending request asks for, with the request's note."""
    request = _pending(call, request_id, "incoming")
    _send(call, request["email"], request["amount"], request["note"])
    return call.change("requests", request_id, status="paid")


@writes
def decline_request(call: Call, request_id: int) -> Row:
    """Decline a pending request that came in."""
    _pending(call, request_id, "incoming")
    return call.change("requests", request_id, status="declined")


@writes
def withdraw_request(call: Call, request_id: int) -> Row:
    """Withdraw a pending request that went out."""
    _pending(call, request_id, "outgoing")
    return call.change("requests", request_id, status="withdrawn")


@writes
def remind(call: Call, request_id: int, text: str) -> Row:
    """Replace the note of a pending request that went out, which reminds the person."""
    _pending(call, request_id, "outgoing")
    return call.change("requests", request_id, note=text)


def _check(call: Call, email: str, amount: int) -> None:
    if amount < 1:
        raise ApiError(f"amount must be 1 or more, not {amount}")
    if not call.rows("select id from contacts where email = ?", email):
        raise ApiError(f"nobody with the address {email} has an account")


def _send(call: Call, email: str, amount: int, note: str) -> Row:
    _check(call, email, amount)
    wallet = call.rows("select * from wallet")[0]
    if amount > wallet["balance"]:
        raise ApiError(f"{amount} is more than the balance {wallet['balance']}")
    call.change("wallet", wallet["id"], balance=wallet["balance"] - amount)
    return call.add("transactions", direction="sent", email=email, amount=amount, note=note, at=call.now)


def _pending(call: Call, request_id: int, direction: str) -> Row:
    request = call.one("requests", request_id, "request")
    if request["direction"] != direction or request["status"] != "pending":
        raise ApiError(f"request {request_id} is {request['direction']} and {request['status']}")
    return request

"""Logins: a password is exchanged for an access token."""

from hashlib import blake2b

from .endpoint import ApiError, Call
from .schema import Row


def opened_session(call: Call, app: str, password: str) -> Row:
    """A token of ``app``, the same for the same password. Raises `ApiError` for a wrong one."""
    if not call.rows("select id from passwords where app = ? and password = ?", app, password):
        raise ApiError(f"wrong password; supervisor.passwords() has that of {app}")
    token = blake2b(f"{app} {password}".encode(), digest_size=6).hexdigest()
    if not call.rows("select id from sessions where app = ?", app):
        call.add("sessions", app=app, token=token)
    return {"access_token": token}

"""Text files in folders; a path looks like ``/documents/report.txt``."""

from .endpoint import ApiError, Call, reads, writes
from .schema import Row


@reads
def folders(call: Call) -> list[str]:
    """The paths of all folders."""
    return [row["path"] for row in call.rows("select path from folders order by path")]


@reads
def list_folder(call: Call, folder: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The files in a folder by path, without their content."""
    _folder(call, folder)
    return call.page(
        "select id, path, length(content) as size, created from files where path like ? order by path",
        f"{folder.rstrip('/')}/%",
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def search(call: Call, query: str, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The files that have the query in path or content, by path, without their content."""
    return call.page(
        "select id, path, length(content) as size, created from files where path like ? or content like ? "
        "order by path",
        *(f"%{query}%", f"%{query}%"),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def read(call: Call, path: str) -> Row:
    """One file with its content."""
    return _file(call, path)


@reads
def exists(call: Call, path: str) -> bool:
    """Whether there is a file with this path."""
    return bool(call.rows("select id from files where path = ?", path))


@writes
def create(call: Call, path: str, content: str) -> Row:
    """Write a new file in a folder that exists."""
    _free(call, path)
    return call.add("files", path=path, content=content, created=call.now)


@writes
def write(call: Call, path: str, content: str) -> Row:
    """Replace the content of a file."""
    return call.change("files", _file(call, path)["id"], content=content)


@writes
def append(call: Call, path: str, line: str) -> Row:
    """Add a line at the end of a file."""
    file = _file(call, path)
    return call.change("files", file["id"], content=call.longer(file["content"], line))


@writes
def move(call: Call, path: str, to: str) -> Row:
    """Give a file another path."""
    file = _file(call, path)
    _free(call, to)
    return call.change("files", file["id"], path=to)


@writes
def copy(call: Call, path: str, to: str) -> Row:
    """Copy a file to another path."""
    file = _file(call, path)
    _free(call, to)
    return call.add("files", path=to, content=file["content"], created=call.now)


@writes
def delete(call: Call, path: str) -> Row:
    """Delete a file."""
    file = _file(call, path)
    call.remove("files", id=file["id"])
    return file


@writes
def create_folder(call: Call, path: str) -> Row:
    """Make a folder."""
    if not path.startswith("/") or call.rows("select id from folders where path = ?", path):
        raise ApiError(f"the path {path!r} must begin with / and be new")
    return call.add("folders", path=path.rstrip("/"))


@writes
def delete_folder(call: Call, path: str) -> Row:
    """Delete a folder that is empty."""
    folder = _folder(call, path)
    if call.rows("select id from files where path like ?", f"{path.rstrip('/')}/%"):
        raise ApiError(f"the folder {path!r} is not empty")
    call.remove("folders", id=folder["id"])
    return folder


def _folder(call: Call, path: str) -> Row:
    found = call.rows("select * from folders where path = ?", path.rstrip("/"))
    if not found:
        raise ApiError(f"there is no folder {path!r}; files.folders lists them")
    return found[0]


def _file(call: Call, path: str) -> Row:
    found = call.rows("select * from files where path = ?", path)
    if not found:
        raise ApiError(f"there is no file {path!r}; files.search finds them")
    return found[0]


def _free(call: Call, path: str) -> None:
    _folder(call, path.rpartition("/")[0])
    if path.endswith("/") or call.rows("select id from files where path = ?", path):
        raise ApiError(f"the path {path!r} is not free")

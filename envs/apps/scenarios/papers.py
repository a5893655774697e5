"""Scenarios around notes and files."""

from __future__ import annotations

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, UnfitWorldError, scenario, some


def inside(draw: Draw, folder: str, ending: str = "") -> list[Row]:
    """The files of a folder by path, those with one ending."""
    found = [file for file in draw.world.rows("files") if file["path"].startswith(f"{folder}/")]
    return sorted((file for file in found if file["path"].endswith(ending)), key=lambda file: file["path"])


def total(invoice: Row) -> int:
    """What an invoice asks for."""
    return int(invoice["content"].rpartition(" ")[2])


@scenario(
    1,
    "train",
    """
    notes = apis.notes.search(tag=tag, page_limit=20)
    print(len(notes))
    ---
    for note in notes:
        apis.notes.pin(note_id=note["id"])
    """,
)
def pin_tag(draw: Draw) -> Task:
    """Pin all notes of a tag."""
    tag = draw.one(tag for tag in words.TAGS if draw.world.rows("notes", tag=tag, pinned=0))
    expected = Expected()
    for note in draw.world.rows("notes", tag=tag, pinned=0):
        expected.change("notes", note["id"], pinned=1)
    return Task(f'Pin all my notes with the tag "{tag}".', {"tag": tag}, expected)


@scenario(
    1,
    "train",
    """
    path = folder + "/" + name + ".txt"
    apis.files.create(path=path, content=content)
    ---
    apis.files.copy(path=path, to="/archive/" + name + ".txt")
    """,
)
def write_and_copy(draw: Draw) -> Task:
    """Write a file and copy it."""
    folder = draw.one(("/documents", "/projects", "/invoices"))
    name, content = draw.any(("ideas", "wishes", "journal")), draw.any(("Nothing yet.", "To be filled.", "Start here."))
    expected = Expected().add("files", path=f"{folder}/{name}.txt", content=content)
    expected.add("files", path=f"/archive/{name}.txt", content=content)
    return Task(
        f'Write a file {folder}/{name}.txt with the content "{content}" and put a copy of it into /archive under the '
        "same name.",
        {"folder": folder, "name": name, "content": content},
        expected,
    )


@scenario(
    1,
    "dev",
    """
    notes = apis.notes.search(query=word, page_limit=20)
    print(len(notes))
    ---
    for note in notes:
        apis.notes.set_tag(note_id=note["id"], tag=tag)
    """,
)
def tag_notes(draw: Draw) -> Task:
    """Give another tag to the notes that mention something."""

    def notes(word: str) -> list[Row]:
        return [one for one in draw.world.rows("notes") if word in f"{one['title']}\n{one['body']}".lower()]

    word = draw.one(word for word in words.TOPICS if some(notes(word)))
    tag = draw.any(("old", "review", "shared"))
    expected = Expected()
    for note in notes(word):
        expected.change("notes", note["id"], tag=tag)
    return Task(
        f'Give every note of mine that mentions "{word}" the tag "{tag}".', {"word": word, "tag": tag}, expected
    )


@scenario(
    1,
    "test-normal",
    """
    files = apis.files.list_folder(folder=folder, page_limit=20)
    print(len(files))
    ---
    for file in files:
        apis.files.delete(path=file["path"])
    """,
)
def empty_folder(draw: Draw) -> Task:
    """Delete all files of a folder."""
    folder = draw.one(folder for folder in words.FOLDERS if inside(draw, folder))
    expected = Expected()
    for file in inside(draw, folder):
        expected.remove("files", file["id"])
    return Task(f"Delete all files in the folder {folder}, but keep the folder.", {"folder": folder}, expected)


@scenario(
    2,
    "train",
    """
    files = apis.files.list_folder(folder=folder, page_limit=20)
    print(len(files))
    ---
    for file in files:
        path = file["path"]
        if path.endswith(ending):
            apis.files.move(path=path, to=path.replace(folder, target))
    """,
)
def move_by_ending(draw: Draw) -> Task:
    """Move the files of a folder that have one ending."""
    kinds = [
        (folder, ending) for folder in ("/documents", "/projects", "/photos") for ending in (".txt", ".md", ".jpg")
    ]
    folder, ending = draw.one(kind for kind in kinds if inside(draw, *kind))
    expected = Expected()
    for file in inside(draw, folder, ending):
        expected.change("files", file["id"], path=file["path"].replace(folder, "/archive"))
    return Task(
        f"Move all files in {folder} whose names end in {ending} to /archive, under the same names.",
        {"folder": folder, "ending": ending, "target": "/archive"},
        expected,
    )


@scenario(
    2,
    "train",
    """
    files = apis.files.search(query=company, page_limit=20)
    files = [one for one in files if one["path"].startswith("/invoices/")]
    ---
    answer = 0
    for one in files:
        content = apis.files.read(path=one["path"])["content"]
        if "From: " + company in content:
            answer += int(content.split("Total: ")[1])
    """,
)
def sum_invoices(draw: Draw) -> Task:
    """Sum up the invoices of one company."""

    def invoices(company: str) -> list[Row]:
        return [one for one in inside(draw, "/invoices") if f"From: {company}\n" in one["content"]]

    company = draw.one(company for company in words.COMPANIES if invoices(company))
    return Task(
        f"What is the sum of the totals of all invoices from {company} in /invoices? Answer with the number.",
        {"company": company},
        answer=sum(map(total, invoices(company))),
    )


@scenario(
    2,
    "dev",
    """
    notes = apis.notes.search(tag=tag, page_limit=20)
    lines = [note["title"] for note in notes]
    ---
    apis.files.create(path=path, content="\\n".join(lines))
    ---
    for note in notes:
        apis.notes.delete(note_id=note["id"])
    """,
)
def notes_into_file(draw: Draw) -> Task:
    """Write the titles of the notes of a tag into a file, and delete the notes."""
    tag = draw.one(tag for tag in words.TAGS if draw.world.rows("notes", tag=tag))
    notes = draw.world.rows("notes", tag=tag)
    path = f"/archive/notes_{tag}.txt"
    expected = Expected().add("files", path=path, content="\n".join(note["title"] for note in notes))
    for note in notes:
        expected.remove("notes", note["id"])
    return Task(
        f'Write the titles of all my notes with the tag "{tag}" into a new file {path}, one a line, in the order in '
        "which notes.search gives them. Then delete these notes.",
        {"tag": tag, "path": path},
        expected,
    )


@scenario(
    3,
    "train",
    """
    files = apis.files.list_folder(folder="/invoices", page_limit=20)
    large = []
    for file in files:
        content = apis.files.read(path=file["path"])["content"]
        if int(content.split("Total: ")[1]) > limit:
            large.append(content.split("\\n")[0])
    ---
    lists = {one["name"]: one["id"] for one in apis.todo.lists()}
    for name in large:
        title = "pay " + name
        apis.todo.create(list_id=lists[list_name], title=title, due=due, priority="high")
    """,
)
def tasks_of_invoices(draw: Draw) -> Task:
    """Make urgent tasks of the invoices above an amount."""
    totals = sorted(map(total, inside(draw, "/invoices")))
    limit = draw.one(sorted(set(totals[2:-1])))
    place, due = draw.any(draw.world.rows("todo_lists")), f"{draw.world.today.year}-{draw.any(('07-01', '08-15'))}"
    expected = Expected()
    for file in inside(draw, "/invoices"):
        if total(file) > limit:
            title = f"pay {file['content'].splitlines()[0]}"
            expected.add("tasks", list_id=place["id"], title=title, due=due, priority="high")
    return Task(
        f"For every invoice in /invoices with a total above {limit}, add a task of high priority to my list "
        f'{place["name"]}, due {due}, with the title "pay " and the first line of the invoice.',
        {"limit": limit, "list_name": place["name"], "due": due},
        expected,
    )


@scenario(
    3,
    "train",
    """
    notes = apis.notes.search(tag=tag, page_limit=20)
    body = "\\n".join(note["title"] for note in notes)
    ---
    group_ids = {one["name"]: one["id"] for one in apis.contacts.groups()}
    people = apis.contacts.members(group_id=group_ids[group])
    emails = [person["email"] for person in people]
    ---
    for email in emails:
        apis.mail.send(to=[email], subject=subject, body=body)
    """,
)
def mail_note_titles(draw: Draw) -> Task:
    """Send the titles of the notes of a tag to each member of a group."""
    tag = draw.one(tag for tag in words.TAGS if draw.world.rows("notes", tag=tag))
    group = draw.any(draw.world.rows("groups"))
    ids = {row["contact_id"] for row in draw.world.rows("group_members", group_id=group["id"])}
    body = "\n".join(note["title"] for note in draw.world.rows("notes", tag=tag))
    subject = f"My notes on {tag}"
    expected = Expected()
    for number in ids:
        email = draw.world.row("contacts", number)["email"]
        expected.add("mail", folder="sent", recipients=email, subject=subject, body=body)
    return Task(
        f'Send each member of my contact group {group["name"]} a mail of their own with the subject "{subject}". The '
        f'body is the titles of my notes with the tag "{tag}", one a line, in the order of notes.search.',
        {"tag": tag, "group": group["name"], "subject": subject},
        expected,
    )


@scenario(
    3,
    "test-normal",
    """
    files = apis.files.search(query=word, page_limit=20)
    paths = [one["path"] for one in files if not one["path"].endswith(".jpg")]
    ---
    for path in paths:
        apis.files.append(path=path, line="checked by " + me)
    ---
    people = apis.contacts.search(query=name)
    text = "Checked: " + str(len(paths))
    apis.messages.send(phone=people[0]["phone"], text=text)
    """,
)
def sign_files(draw: Draw) -> Task:
    """Add a line to the texts that mention something, and tell somebody how many these were."""

    def texts(word: str) -> list[Row]:
        found = [one for one in draw.world.rows("files") if word in f"{one['path']}\n{one['content']}".lower()]
        return [one for one in found if not one["path"].endswith(".jpg")]

    word = draw.one(word for word in words.TOPICS if word != "invoice" and some(texts(word)))
    person, me = draw.any(draw.world.rows("contacts")), draw.world.me["name"]
    if len(texts(word)) > 15:
        raise UnfitWorldError("more than one page")
    expected = Expected()
    for file in texts(word):
        expected.change("files", file["id"], content=f"{file['content']}\nchecked by {me}")
    text = f"Checked: {len(texts(word))}"
    expected.add("messages", phone=person["phone"], direction="sent", text=text)
    return Task(
        f'Add the line "checked by {me}" to every file that mentions "{word}" in path or content, except .jpg files. '
        f'Then send {person["name"]} the text message "Checked: " and the number of files.',
        {"word": word, "me": me, "name": person["name"]},
        expected,
    )

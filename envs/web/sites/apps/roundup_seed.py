"""What the issue tracker begins with: the people, keywords and issues of Lantern, an application for reading books."""

from __future__ import annotations

PEOPLE = (
    ("robin", "Robin Hale", "Lantern", "555-0101"),
    ("amara", "Amara Okafor", "Lantern", "555-0102"),
    ("bela", "Béla Novák", "Lantern", "555-0103"),
    ("chen", "Chen Wei", "Lantern", "555-0104"),
    ("dunja", "Dunja Marić", "Pagewise", "555-0105"),
    ("elif", "Elif Demir", "Pagewise", "555-0106"),
    ("fatou", "Fatou Diallo", "Lantern", "555-0107"),
    ("goran", "Goran Lind", "Northshelf", "555-0108"),
    ("hana", "Hana Sato", "Northshelf", "555-0109"),
    ("ivo", "Ivo Peeters", "Lantern", "555-0110"),
)

KEYWORDS = ("sync", "import", "search", "accessibility", "android", "desktop", "billing", "documentation")

PRIORITIES = ("critical", "urgent", "bug", "feature", "wish")
PRIORITY_WEIGHTS = (2, 4, 8, 5, 3)
STATUSES = ("unread", "deferred", "chatting", "need-eg", "in-progress", "testing", "done-cbb", "resolved")
STATUS_WEIGHTS = (6, 3, 4, 3, 5, 4, 2, 5)

ISSUES = (
    (
        "Bookmarks vanish after syncing two phones",
        ("sync", "android"),
        "Set a bookmark on one phone and sync the other.",
    ),
    ("Import of EPUB 2 files without a cover fails", ("import",), "The importer stops and shows an empty dialog."),
    ("Search ignores words with an apostrophe", ("search",), "Looking for o'clock finds nothing in any book."),
    ("Screen reader skips the table of contents", ("accessibility",), "The entries are announced as one long line."),
    ("Dark theme turns footnote numbers invisible", ("desktop",), "Black on black since the last theme update."),
    ("Invoice shows the wrong currency for Sweden", ("billing",), "A customer paid in kronor, the invoice says euro."),
    ("Handbook still describes the old import dialog", ("documentation", "import"), "Chapter 4 has to be rewritten."),
    ("App crashes when a download is cancelled twice", ("android",), "Tap the cross twice quickly."),
    ("Let readers sort shelves by last opened", ("desktop",), "Sorting by title alone is tedious with 900 books."),
    ("Sync conflicts are resolved without asking", ("sync",), "My notes were replaced by an older version."),
    ("Highlight colours cannot be told apart", ("accessibility",), "Green and yellow look alike to many readers."),
    ("Search results should show the chapter", ("search",), "A page number says little in a reflowed book."),
    ("Large comics use three gigabytes of memory", ("desktop",), "Opening volume 12 makes the machine swap."),
    ("Export highlights as Markdown", ("desktop",), "Several reading groups have asked for it."),
    ("Battery drain while audio is paused", ("android",), "Ten percent an hour with the screen off."),
    ("Cannot import books from a network folder", ("import", "desktop"), "The folder is offered but stays empty."),
    ("Trial period ends one day early", ("billing",), "Time zones east of Greenwich lose a day."),
    ("Reading position jumps after a font change", ("android",), "Go from 12 to 18 points and lose the page."),
    ("Document the keyboard shortcuts", ("documentation",), "People ask for a page that can be printed."),
    ("Sync stops at the first unreadable file", ("sync",), "One broken file blocks the whole library."),
    ("Page numbers overlap the clock", ("android",), "In full screen, on phones with a notch."),
    ("Search index is rebuilt at every start", ("search", "desktop"), "It takes a minute with a large library."),
    ("Voice output mispronounces abbreviations", ("accessibility",), "Dr. is read as drive in all languages."),
    ("Refunds are not shown in the account", ("billing",), "Support has to look each of them up."),
    ("Import keeps asking about duplicates", ("import",), "The box to remember the answer has no effect."),
    ("Add a setting for the margin width", ("desktop",), "On wide screens the lines are too long."),
    ("Window forgets its size on a second screen", ("desktop",), "It opens on the first one, very small."),
    ("Sync over slow connections times out", ("sync",), "On trains the upload never gets to its end."),
    ("Describe how to move a library", ("documentation", "sync"), "The most frequent question of the month."),
    ("Dictionary look-up fails for plural forms", ("search",), "Mice should lead to mouse."),
    ("Back button leaves the book", ("android",), "It should first close the open note."),
    ("Receipts are sent twice", ("billing",), "Customers are worried that they paid twice."),
    ("Focus is lost after closing a note", ("accessibility", "desktop"), "Keyboard users start over at the top."),
    ("Import reads the author as the title", ("import",), "Only with files of one publisher."),
    ("Show the reading time left in a chapter", ("android",), "Other readers have had it for years."),
    ("Search history cannot be cleared", ("search",), "Shared tablets show what others looked for."),
    ("Tables are cut off on small screens", ("android",), "The last columns cannot be reached."),
    ("Sync uploads covers again and again", ("sync",), "Traffic of a gigabyte a day on the server."),
    ("Desktop installer needs administrator rights", ("desktop",), "Schools cannot install it."),
    ("Contrast of disabled buttons is too low", ("accessibility",), "Measured at 2.1 to 1."),
    ("Yearly plan renews without a reminder", ("billing",), "The law asks for one in two countries."),
    ("Imported PDF files lose their outline", ("import",), "The table of contents is empty afterwards."),
    ("Release notes should be dated", ("documentation",), "Nobody can tell which came first."),
    ("Full text search misses the last chapter", ("search",), "It seems that indexing stops too early."),
    ("Notes with emoji do not arrive", ("sync", "android"), "They are there on the sending side only."),
    ("Remember the zoom of each comic", ("desktop",), "Every book begins at page width."),
    ("Night mode flashes white between pages", ("android",), "Quite unpleasant in a dark room."),
    ("Gift vouchers cannot be combined", ("billing",), "Only the last one counts."),
    ("Headings are not marked as headings", ("accessibility", "documentation"), "On all pages of the online handbook."),
    ("Import wizard hides its progress", ("import", "desktop"), "It looks frozen with large folders."),
    ("Search field should accept wildcards", ("search",), "Librarians are used to them."),
    ("Clock skew breaks the first sync", ("sync",), "Devices that are off by an hour are refused."),
    ("Links in footnotes open the browser", ("android",), "They should stay within the book."),
    ("Explain what is stored on the server", ("documentation", "sync"), "For the privacy page."),
    ("Printing a chapter prints the whole book", ("desktop",), "All 700 pages of it."),
    ("Discount codes are case sensitive", ("billing",), "SPRING works, spring does not."),
    ("Text reflows while a page is being turned", ("android",), "Words jump from line to line."),
    ("Right-to-left books open at the last page", ("accessibility",), "All Hebrew and Arabic titles are affected."),
    ("Shelf names with a slash break the import", ("import",), "A shelf called 19th/20th century does."),
    ("Search within notes", ("search", "android"), "Only the text of books is looked at."),
)

NOTES = (
    "I can reproduce this with the current version.",
    "Could you attach one of the files in question?",
    "A first version of the change is ready for review.",
    "This has come up in the forum as well.",
    "It works for me on a fresh installation.",
    "Let us look at this after the release.",
    "The cause is known, a repair is under way.",
    "Please try the build of this morning.",
    "We should decide on the wording first.",
    "Three more customers have written about it.",
)

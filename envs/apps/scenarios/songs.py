"""Scenarios around music."""

from __future__ import annotations

from selfgym.envs.apps import words
from selfgym.envs.apps.api.schema import Row
from selfgym.envs.apps.evaluate import Expected
from selfgym.envs.apps.scenarios.scenario import Draw, Task, scenario, some


def listed(draw: Draw, playlist: Row) -> list[Row]:
    """The songs of a playlist in order."""
    rows = draw.world.rows("playlist_songs", playlist_id=playlist["id"])
    return [draw.world.row("songs", row["song_id"]) for row in rows]


def most_played(draw: Draw, **where: object) -> list[Row]:
    """Songs, the most played first."""
    return sorted(draw.world.rows("songs", **where), key=lambda song: -song["plays"])


@scenario(
    1,
    "train",
    """
    songs = apis.music.search(query=artist, page_limit=20)
    print(len(songs))
    ---
    for song in songs:
        apis.music.like(song_id=song["id"])
    """,
)
def like_artist(draw: Draw) -> Task:
    """Like all songs of an artist."""
    artist = draw.one(one for one in words.ARTISTS if some(draw.world.rows("songs", artist=one, liked=0)))
    expected = Expected()
    for song in draw.world.rows("songs", artist=artist, liked=0):
        expected.change("songs", song["id"], liked=1)
    return Task(f"Like every song by {artist}.", {"artist": artist}, expected)


@scenario(
    1,
    "dev",
    """
    songs = apis.music.search(genre=genre, sort="length")
    print(songs[0])
    ---
    apis.music.add_to_queue(song_id=songs[0]["id"])
    """,
)
def queue_longest(draw: Draw) -> Task:
    """Put the longest song of a genre into the queue."""
    genre = draw.one(genre for genre in words.GENRES if draw.world.rows("songs", genre=genre))
    song = max(draw.world.rows("songs", genre=genre), key=lambda song: song["seconds"])
    expected = Expected().add("queue", song_id=song["id"])
    return Task(f"Put the longest {genre} song at the end of my music queue.", {"genre": genre}, expected)


@scenario(
    1,
    "test-normal",
    """
    playlists = {one["name"]: one["id"] for one in apis.music.playlists()}
    songs = apis.music.playlist_songs(playlist_id=playlists[name])
    ---
    answer = sum(song["seconds"] for song in songs)
    """,
)
def playlist_length(draw: Draw) -> Task:
    """Tell how long a playlist is."""
    playlist = draw.one(draw.world.rows("playlists"))
    seconds = sum(song["seconds"] for song in listed(draw, playlist))
    return Task(
        f"How many seconds does my playlist {playlist['name']} last? Answer with the number.",
        {"name": playlist["name"]},
        answer=seconds,
    )


@scenario(
    2,
    "train",
    """
    songs = apis.music.search(genre=genre, sort="plays", page_limit=count)
    playlist = apis.music.create_playlist(name=name)
    ---
    for song in songs:
        apis.music.add_song(playlist_id=playlist["id"], song_id=song["id"])
    """,
)
def playlist_of_favourites(draw: Draw) -> Task:
    """Make a playlist of the most played songs of a genre."""
    count = draw.any((3, 4, 5))
    genre = draw.one(one for one in words.GENRES if len(draw.world.rows("songs", genre=one)) > count)
    number, name = len(draw.world.rows("playlists")) + 1, f"Best of {genre}"
    expected = Expected().add("playlists", id=number, name=name)
    last = len(draw.world.rows("playlist_songs"))
    for position, song in enumerate(most_played(draw, genre=genre)[:count], last + 1):
        expected.add("playlist_songs", id=position, playlist_id=number, song_id=song["id"])
    return Task(
        f'Make a playlist "{name}" of the {count} {genre} songs that were played most, the most played first.',
        {"genre": genre, "count": count, "name": name},
        expected,
    )


@scenario(
    2,
    "test-normal",
    """
    playlists = {one["name"]: one["id"] for one in apis.music.playlists()}
    songs = apis.music.playlist_songs(playlist_id=playlists[name])
    ---
    for song in songs:
        if song["plays"] < plays:
            apis.music.remove_song(playlist_id=playlists[name], song_id=song["id"])
    """,
)
def prune_playlist(draw: Draw) -> Task:
    """Take the seldom played songs off a playlist."""
    playlist, plays = draw.one(draw.world.rows("playlists")), draw.any((100, 120, 150))
    rare = {song["id"] for song in listed(draw, playlist) if song["plays"] < plays}
    expected = Expected()
    for row in draw.world.rows("playlist_songs", playlist_id=playlist["id"]):
        if row["song_id"] in rare:
            expected.remove("playlist_songs", row["id"])
    return Task(
        f"Take all songs that were played fewer than {plays} times off my playlist {playlist['name']}.",
        {"name": playlist["name"], "plays": plays},
        expected,
    )


@scenario(
    3,
    "train",
    """
    playlists = {one["name"]: one["id"] for one in apis.music.playlists()}
    songs = apis.music.playlist_songs(playlist_id=playlists[name])
    titles = [song["title"] for song in songs if song["liked"]]
    ---
    person = apis.contacts.search(query=friend)[0]
    body = "\\n".join(titles)
    apis.mail.send(to=[person["email"]], subject=subject, body=body)
    """,
)
def mail_liked_songs(draw: Draw) -> Task:
    """Send the liked songs of a playlist to somebody."""
    playlist = draw.one(one for one in draw.world.rows("playlists") if any(song["liked"] for song in listed(draw, one)))
    person, subject = draw.any(draw.world.rows("contacts")), f"Songs from {playlist['name']}"
    body = "\n".join(song["title"] for song in listed(draw, playlist) if song["liked"])
    expected = Expected().add("mail", folder="sent", recipients=person["email"], subject=subject, body=body)
    return Task(
        f"Send {person['name']} a mail with the titles of the songs in my playlist {playlist['name']} that I like, one "
        f'a line, in the order of the playlist. Subject: "{subject}".',
        {"name": playlist["name"], "friend": person["name"], "subject": subject},
        expected,
    )


@scenario(
    3,
    "dev",
    """
    songs = []
    for page in range(5):
        songs += apis.music.liked(page_index=page, page_limit=20)
    names = [song["artist"] for song in songs]
    best = max(sorted(set(names)), key=names.count)
    ---
    songs = apis.music.search(query=best, page_limit=20)
    playlist = apis.music.create_playlist(name=name)
    for song in songs:
        if song["artist"] == best:
            apis.music.add_song(playlist_id=playlist["id"], song_id=song["id"])
    ---
    person = apis.contacts.search(query=friend)[0]
    apis.messages.send(phone=person["phone"], text=best)
    """,
)
def playlist_of_best_artist(draw: Draw) -> Task:
    """Make a playlist of the artist with most likes, and tell somebody who that is."""
    person = draw.person()
    names = [song["artist"] for song in draw.world.rows("songs", liked=1)]
    best = min(set(names), key=lambda name: (-names.count(name), name))
    number = len(draw.world.rows("playlists")) + 1
    expected = Expected().add("playlists", id=number, name="My best")
    for song in draw.world.rows("songs", artist=best):
        expected.add("playlist_songs", playlist_id=number, song_id=song["id"])
    expected.add("messages", phone=person["phone"], direction="sent", text=best)
    return Task(
        "Find the artist of whom I like the most songs (of several, the first by alphabet). Make a playlist "
        f'"My best" of all songs by this artist, and send {person["name"]} the name of the artist as a text message.',
        {"friend": person["name"], "name": "My best"},
        expected,
    )

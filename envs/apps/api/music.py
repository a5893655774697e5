"""Music: songs, playlists, likes and a queue."""

from typing import Literal

from .endpoint import ApiError, Call, reads, writes
from .schema import Row


@reads
def search(
    call: Call,
    query: str = "",
    genre: str = "",
    sort: Literal["title", "plays", "length"] = "title",
    page_index: int = 0,
    page_limit: int = 5,
) -> list[Row]:
    """Songs that have the query in title, artist or album, of this genre; most played or longest first if sorted so."""
    order = {"title": "title, id", "plays": "plays desc, id", "length": "seconds desc, id"}[sort]
    return call.page(
        "select * from songs where (title like ? or artist like ? or album like ?) and (? = '' or genre = ?) "
        f"order by {order}",
        *(*(f"%{query}%",) * 3, genre, genre),
        page_index=page_index,
        page_limit=page_limit,
    )


@reads
def show(call: Call, song_id: int) -> Row:
    """One song."""
    return call.one("songs", song_id, "song")


@reads
def genres(call: Call) -> list[str]:
    """The genres."""
    return [row["genre"] for row in call.rows("select distinct genre from songs order by genre")]


@reads
def liked(call: Call, page_index: int = 0, page_limit: int = 5) -> list[Row]:
    """The songs that the supervisor likes, by title."""
    sql = "select * from songs where liked = 1 order by title, id"
    return call.page(sql, page_index=page_index, page_limit=page_limit)


@writes
def like(call: Call, song_id: int, liked: bool = True) -> Row:
    """Like a song, or no longer."""
    call.one("songs", song_id, "song")
    return call.change("songs", song_id, liked=int(liked))


@writes
def play(call: Call, song_id: int) -> Row:
    """Play a song, which counts."""
    song = call.one("songs", song_id, "song")
    return call.change("songs", song_id, plays=song["plays"] + 1)


@reads
def playlists(call: Call) -> list[Row]:
    """The playlists."""
    return call.rows("select * from playlists order by id")


@reads
def playlist_songs(call: Call, playlist_id: int) -> list[Row]:
    """The songs of a playlist in order."""
    call.one("playlists", playlist_id, "playlist")
    return call.rows(
        "select songs.* from playlist_songs join songs on songs.id = song_id where playlist_id = ? "
        "order by playlist_songs.id",
        playlist_id,
    )


@writes
def create_playlist(call: Call, name: str) -> Row:
    """Make an empty playlist."""
    if call.rows("select id from playlists where name = ?", name):
        raise ApiError(f"there is a playlist {name!r} already")
    return call.add("playlists", name=name)


@writes
def rename_playlist(call: Call, playlist_id: int, name: str) -> Row:
    """Give a playlist another name."""
    call.one("playlists", playlist_id, "playlist")
    return call.change("playlists", playlist_id, name=name)


@writes
def delete_playlist(call: Call, playlist_id: int) -> Row:
    """Delete a playlist; its songs stay in the library."""
    found = call.one("playlists", playlist_id, "playlist")
    call.remove("playlist_songs", playlist_id=playlist_id)
    call.remove("playlists", id=playlist_id)
    return found


@writes
def add_song(call: Call, playlist_id: int, song_id: int) -> Row:
    """Add a song at the end of a playlist."""
    call.one("playlists", playlist_id, "playlist")
    call.one("songs", song_id, "song")
    if call.rows("select id from playlist_songs where playlist_id = ? and song_id = ?", playlist_id, song_id):
        raise ApiError(f"song {song_id} is in playlist {playlist_id} already")
    return call.add("playlist_songs", playlist_id=playlist_id, song_id=song_id)


@writes
def remove_song(call: Call, playlist_id: int, song_id: int) -> Row:
    """Take a song out of a playlist."""
    found = call.rows("select * from playlist_songs where playlist_id = ? and song_id = ?", playlist_id, song_id)
    if not found:
        raise ApiError(f"song {song_id} is not in playlist {playlist_id}")
    call.remove("playlist_songs", id=found[0]["id"])
    return found[0]


@reads
def queue(call: Call) -> list[Row]:
    """The songs that play next."""
    return call.rows("select songs.* from queue join songs on songs.id = song_id order by queue.id")


@writes
def add_to_queue(call: Call, song_id: int) -> Row:
    """Put a song at the end of the queue."""
    call.one("songs", song_id, "song")
    return call.add("queue", song_id=song_id)


@writes
def clear_queue(call: Call) -> int:
    """Empty the queue; how many songs that were."""
    count = len(call.rows("select id from queue"))
    call.db.execute("delete from queue")
    return count

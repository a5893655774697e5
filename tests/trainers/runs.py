"""What tests of runs read off a run's folder."""

from selfgym.memory.store import EpisodeStore


def contents(folder):
    """Every episode, without its time."""
    with EpisodeStore(folder / "episodes.db", readonly=True) as store:
        return [episode.model_copy(update={"created": 0.0}) for episode in store.episodes()]


def weights(folder, number=1):
    """The bytes of a checkpoint's weights."""
    return (folder / "checkpoints" / str(number) / "model.safetensors").read_bytes()


def done_pieces(folder):
    """How many pieces of work are committed; 0 while nothing can be read."""
    try:
        with EpisodeStore(folder / "episodes.db", readonly=True) as store:
            return len(store.notes("done"))
    except Exception:
        return 0

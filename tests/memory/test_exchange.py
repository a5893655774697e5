"""Formats: what comes back is what went in, what is lost is known, and damage is named by file and line."""

import gzip
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfgym.envs.core import Outcome
from selfgym.memory.episode import Episode, Source, Step
from selfgym.memory.exchange.files import CannotWriteError, DamagedFileError
from selfgym.memory.exchange.formats import FORMATS, UnknownFormatError, export_episodes, import_episodes
from selfgym.memory.store import EpisodeStore

SEPARATORS = "line\u2028separator\x85 \x0b\x1c\r\n\ttab \U0001f600 \x00"


def make_episode(number: int = 0, **fields) -> Episode:
    steps = (
        Step(
            observation=f"You are in a room.\n\nYour task is to: put a mug in a shelf. {SEPARATORS}",
            prompt_ids=(1, 2, 3),
            response_ids=(4, 5),
            logprobs=(-0.12345678901234567, -1e-30),
            fresh=True,
            action="go to shelf 1",
            thought="The shelf first.",
            info={"value": [1, 2.5, None, {"ä": "b"}]},
        ),
        Step(
            observation="You arrive.", prompt_ids=(6,), response_ids=(7,), logprobs=(-2.0,), action="look", valid=False
        ),
        Step(
            observation="Nothing happens.",
            prompt_ids=(1, 9),
            response_ids=(8,),
            fresh=True,
            action='{"name": "move", "arguments": {"object": "mug 1", "receptacle": "shelf 1"}}',
            reward=1.0,
            state_key="abc",
            source=Source.INJECTED,
            trainable=False,
            policy_version=3,
        ),
    )
    base = {
        "id": f"run/e {number}",
        "env": "selfgym/Household-v0",
        "env_options": {"size": "small", "deep": {"x": [1]}},
        "seed": 2**70 + number,
        "task": "put a mug in a shelf",
        "agent": "react",
        "policy": "nano",
        "run": "first",
        "items": ("a", "b"),
        "outcome": Outcome.SUCCESS,
        "final_observation": "You move the mug.",
        "created": 1700000000.123,
        "info": {"judge": {"score": 0.1}},
        "parent": "other",
        "branch_step": 2,
    }
    return Episode(**(base | {"steps": steps} | fields))


EMPTY = make_episode(98, steps=(), outcome=Outcome.ENV_ERROR, error="it broke", agent="", policy="", run="", seed=None)
EPISODES = [make_episode(0), make_episode(1, outcome=Outcome.FAILURE), EMPTY, make_episode(2)]


@pytest.mark.parametrize(
    ("format", "name"),
    [("jsonl", "a.jsonl"), ("jsonl", "a.jsonl.gz"), ("atif", "a.jsonl"), ("atif", "a.jsonl.gz"), ("atif", "folder")],
)
def test_what_is_written_comes_back_equal(tmp_path, format, name):
    assert export_episodes(iter(EPISODES), tmp_path / name, format) == len(EPISODES)
    assert list(import_episodes(tmp_path / name, format)) == EPISODES
    assert [path.name for path in tmp_path.iterdir()] == [name]


TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
TOKENS = st.lists(st.integers(0, 200_000), max_size=4)


@st.composite
def any_episode(draw):
    steps = []
    for _ in range(draw(st.integers(0, 3))):
        response = draw(TOKENS)
        steps.append(
            Step(
                observation=draw(TEXT),
                prompt_ids=draw(TOKENS),
                response_ids=response,
                logprobs=[draw(st.floats(-99, 0)) for _ in response] if draw(st.booleans()) else (),
                fresh=draw(st.booleans()),
                action=draw(TEXT),
                thought=draw(TEXT),
                reward=draw(st.floats(-9, 9)),
                info=draw(st.dictionaries(TEXT, JSON, max_size=2)),
                trainable=draw(st.booleans()),
            )
        )
    return make_episode(id=draw(TEXT), steps=steps, task=draw(TEXT), final_observation=draw(TEXT), agent=draw(TEXT))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(any_episode(), max_size=3))
def test_any_episode_survives_the_store_and_the_lossless_formats(tmp_path, episodes):
    for format in ("jsonl", "atif"):
        export_episodes(episodes, tmp_path / "any.jsonl", format)
        assert list(import_episodes(tmp_path / "any.jsonl", format)) == episodes
    by_id = {episode.id: episode for episode in episodes}
    (tmp_path / "any.db").unlink(missing_ok=True)
    with EpisodeStore(tmp_path / "any.db") as store:
        store.append(by_id.values())
        assert {episode.id: episode for episode in store.episodes()} == by_id


def test_the_same_episodes_give_the_same_bytes(tmp_path):
    for format, name in (("jsonl", "x.jsonl.gz"), ("atif", "x.json.jsonl"), ("messages", "x.m"), ("parquet", "x.p")):
        export_episodes(EPISODES, tmp_path / name, format)
        first = (tmp_path / name).read_bytes()
        export_episodes(EPISODES, tmp_path / name, format)
        assert (tmp_path / name).read_bytes() == first


def test_parquet_holds_every_field_in_row_groups(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    from selfgym.memory.exchange import parquet as ours

    monkeypatch.setattr(ours, "ROW_GROUP", 3)
    assert export_episodes(EPISODES, tmp_path / "x.parquet", "parquet") == 4
    file = parquet.ParquetFile(tmp_path / "x.parquet")
    assert file.metadata.num_row_groups == 2
    assert file.schema_arrow == ours.schema()
    for row, episode in zip(file.read().to_pylist(), EPISODES, strict=True):
        for part in (row, *row["steps"]):
            part["info"] = json.loads(part["info"])
        row["env_options"] = json.loads(row["env_options"])
        row["seed"] = None if row["seed"] is None else int(row["seed"])
        assert Episode.model_validate(row) == episode
    assert list(import_episodes(tmp_path / "x.parquet", "parquet")) == list(EPISODES)


def test_what_is_not_parquet_or_not_of_episodes_is_refused(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    (tmp_path / "noise").write_bytes(b"PAR1 and then nothing")
    parquet.write_table(pyarrow.table({"id": ["a"]}), tmp_path / "other")
    with pytest.raises(DamagedFileError, match="not a Parquet file"):
        list(import_episodes(tmp_path / "noise", "parquet"))
    with pytest.raises(DamagedFileError, match="not those of episodes"):
        list(import_episodes(tmp_path / "other", "parquet"))


def test_conversations_alternate_and_end_with_the_assistant(tmp_path):
    assert export_episodes(EPISODES, tmp_path / "s", "sharegpt") == 3
    assert export_episodes(EPISODES, tmp_path / "m", "messages", only_successful=True) == 2
    share = [json.loads(line) for line in (tmp_path / "s").read_text("utf-8").split("\n")[:-1]]
    turns = share[0]["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "gpt"] * 3
    assert turns[0]["value"] == EPISODES[0].steps[0].observation
    assert turns[1]["value"] == "Thought: The shelf first.\nAction: go to shelf 1"
    assert turns[3]["value"] == "look"
    assert (share[0]["id"], share[0]["outcome"], share[0]["reward"]) == ("run/e 0", "success", 1.0)
    messages = [json.loads(line) for line in (tmp_path / "m").read_text("utf-8").split("\n")[:-1]]
    assert [row["outcome"] for row in messages] == ["success", "success"]
    assert messages[0]["messages"][2] == {"role": "user", "content": "You arrive."}
    assert [turn["role"] for turn in messages[0]["messages"]] == ["user", "assistant"] * 3


def test_formats_say_what_they_are_and_unknown_ones_name_the_nearest(tmp_path):
    for name, one in FORMATS.items():
        assert one.name == name
        assert one.description
        assert one.read or one.write
    with pytest.raises(UnknownFormatError, match=r"no format 'sharegtp'\. Did you mean 'sharegpt'\?"):
        export_episodes([], tmp_path / "x", "sharegtp")
    with pytest.raises(UnknownFormatError, match=r"'messages' cannot be read\..* can be read: jsonl, parquet, atif"):
        import_episodes(tmp_path / "x", "messages")
    with pytest.raises(UnknownFormatError, match=r"'alfworld' cannot be written"):
        export_episodes([], tmp_path / "x", "alfworld")
    with pytest.raises(FileNotFoundError, match="to import"):
        import_episodes(tmp_path / "x", "jsonl")


def test_an_import_may_set_fields_but_only_real_ones(tmp_path):
    export_episodes(EPISODES, tmp_path / "x", "jsonl")
    found = list(import_episodes(tmp_path / "x", "jsonl", run="again", outcome="success"))
    assert {(episode.run, episode.outcome) for episode in found} == {("again", Outcome.SUCCESS)}
    with pytest.raises(ValueError, match=r"cannot set 'ruin'\. Did you mean 'run'\?"):
        import_episodes(tmp_path / "x", "jsonl", ruin="x")
    with pytest.raises(ValueError, match="cannot set these fields"):
        list(import_episodes(tmp_path / "x", "jsonl", outcome="great"))


def test_a_failing_export_leaves_the_old_file_and_nothing_else(tmp_path):
    def failing():
        yield make_episode(0)
        raise OSError("the disk went away")

    names = {"jsonl": "a.jsonl", "parquet": "a.parquet", "messages": "a.m", "atif": "a.atif.jsonl"}
    for format, name in names.items():
        (tmp_path / name).write_text("old")
        with pytest.raises(OSError, match="went away"):
            export_episodes(failing(), tmp_path / name, format)
        assert (tmp_path / name).read_text() == "old"
    with pytest.raises(OSError, match="went away"):
        export_episodes(failing(), tmp_path / "folder", "atif")
    assert {path.name for path in tmp_path.iterdir()} == set(names.values())
    with pytest.raises(CannotWriteError, match=r"folder .* does not exist"):
        export_episodes([], tmp_path / "absent" / "x", "jsonl")
    with pytest.raises(CannotWriteError, match="not an empty folder"):
        export_episodes([], tmp_path, "atif")
    with pytest.raises(CannotWriteError, match=r"one trajectory and there are 2: give a \.jsonl"):
        export_episodes(EPISODES[:2], tmp_path / "two.json", "atif")


def test_a_damaged_line_is_named_and_nothing_is_half_imported(tmp_path):
    file = tmp_path / "x.jsonl"
    export_episodes(EPISODES, file, "jsonl")
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    with EpisodeStore(tmp_path / "x.db") as store:
        for damage, sentence in (
            (whole[:-40], "line 4: not an episode: Invalid JSON"),
            (b"".join([lines[0], b"\n\n", b'{"id": "x"}\n']), "line 4: not an episode: env: Field required"),
            (lines[0] + b"\xff\xfe\n", "line 2: not UTF-8 text"),
            (lines[0] + b"[" * 100_000 + b"\n", "line 2: not an episode"),
            (lines[0] + b"\x00\x00\n", "line 2: not an episode"),
        ):
            file.write_bytes(damage)
            with pytest.raises(DamagedFileError, match=sentence) as caught:
                store.append(import_episodes(file, "jsonl"))
            assert str(file) in str(caught.value)
            assert len(store) == 0
        packed = tmp_path / "x.jsonl.gz"
        packed.write_bytes(gzip.compress(whole)[:-30])
        with pytest.raises(DamagedFileError, match="damaged compression"):
            store.append(import_episodes(packed, "jsonl"))
        packed.write_bytes(b"not compressed at all")
        with pytest.raises(DamagedFileError, match="damaged compression"):
            store.append(import_episodes(packed, "jsonl"))
        assert len(store) == 0
        file.write_bytes(b"\xef\xbb\xbf" + whole.replace(b"\n", b"\r\n"))
        assert store.append(import_episodes(file, "jsonl")) == 4
        assert list(store.episodes()) == EPISODES

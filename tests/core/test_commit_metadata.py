from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.commit_metadata import CommitMetadata, Identity, Run, decode, encode

IDENTITY = Identity("4L6g3nShT-eMCtK--X86sw", "Zt3nLkQmS0y0xpxV9jCYQw", 7, "0a1b2c3d")
LIMIT = 4000


@st.composite
def _runs(draw: st.DrawFn, base: int) -> list[Run]:
    steps = draw(st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 100_000)), max_size=400))
    runs = []
    reached = base
    for gap, length in steps:
        runs.append(Run(reached + gap, reached + gap + length))
        reached += gap + length
    return runs


def _round_trip(
    base: int,
    runs: Sequence[Run] = (),
    dead: Sequence[int] = (),
    *,
    stopped: bool = False,
    floor: int = 0,
    limit: int = LIMIT,
) -> CommitMetadata | None:
    metadata = encode(IDENTITY, base, runs, dead, stopped, floor, limit)
    assert len(metadata) <= limit and metadata.isascii()
    return decode(metadata, IDENTITY, base)


@given(st.data(), st.integers(0, 2**62), st.booleans())
def test_what_is_written_is_read_back(data: st.DataObject, base: int, stopped: bool) -> None:
    runs = data.draw(_runs(base))[:100]
    dead = data.draw(st.sets(st.integers(max(0, base - 5_000), base + 5_000), max_size=100))
    assert _round_trip(base, runs, tuple(dead), stopped=stopped) == CommitMetadata(
        tuple(runs), frozenset(dead), 0, stopped
    )


@given(st.data(), st.integers(0, 2**40), st.integers(0, LIMIT))
def test_what_does_not_fit_is_left_out_at_the_highest_offsets(
    data: st.DataObject, base: int, limit: int
) -> None:
    runs = data.draw(_runs(base))
    known = _round_trip(base, runs, limit=limit)
    if known is None:
        assert limit < 200, "there is room for the head"
    else:
        assert known.runs == tuple(runs[: len(known.runs)])


@given(st.data(), st.integers(0, 2**40), st.integers(200, LIMIT))
def test_dead_letters_that_do_not_fit_move_the_floor_behind_them(
    data: st.DataObject, base: int, limit: int
) -> None:
    dead = data.draw(st.sets(st.integers(0, base + 100_000), max_size=800))
    known = _round_trip(base, (), tuple(dead), limit=limit)
    assert known is not None
    for offset in dead:
        assert offset in known.dead or offset < known.warm_up_floor
    assert known.dead <= dead


def test_dead_letters_leave_room_for_runs() -> None:
    base = 1_000_000
    dead = range(base - 5_000, base)
    known = _round_trip(base, [Run(base + 1, base + 2)], tuple(dead))
    assert known is not None and known.runs == (Run(base + 1, base + 2),)


def test_incident_14_a_map_that_outgrows_its_limit_is_cut_to_4000_characters() -> None:
    base = 7_000_000_000
    runs = [Run(base + 2 * i + 1, base + 2 * i + 2) for i in range(200_000)]
    metadata = encode(IDENTITY, base, runs, (), False, 0, LIMIT)
    assert 3_990 < len(metadata) <= LIMIT
    known = decode(metadata, IDENTITY, base)
    assert known is not None and len(known.runs) > 900


def test_a_floor_that_was_known_is_kept() -> None:
    known = _round_trip(1_000, dead=(990,), floor=900)
    assert known is not None and known.warm_up_floor == 900


@pytest.mark.parametrize(
    "other",
    [
        IDENTITY._replace(cluster_id="mirror"),
        IDENTITY._replace(topic_id="recreated"),
        IDENTITY._replace(leader_epoch=8),
        IDENTITY._replace(leader_epoch=None),
        IDENTITY._replace(routing_digest="ffffffff"),
    ],
)
def test_a_map_of_another_log_or_routing_is_ignored(other: Identity) -> None:
    metadata = encode(IDENTITY, 10, [Run(12, 15)], (), False, 0, LIMIT)
    assert decode(metadata, other, 10) is None


def test_a_map_at_another_offset_is_ignored() -> None:
    metadata = encode(IDENTITY, 10, [Run(12, 15)], (), False, 0, LIMIT)
    assert decode(metadata, IDENTITY, 11) is None


def test_a_map_of_another_version_is_ignored() -> None:
    metadata = encode(IDENTITY, 10, [Run(12, 15)], (), False, 0, LIMIT)
    assert metadata.startswith("1;")
    assert decode("2" + metadata[1:], IDENTITY, 10) is None


@given(st.text(max_size=200))
def test_whatever_else_stands_in_the_metadata_is_ignored(metadata: str) -> None:
    assert decode(metadata, IDENTITY, 0) is None


@given(st.integers(0, 3_999))
def test_metadata_that_was_cut_off_never_invents_a_finished_record(length: int) -> None:
    base = 1_000
    runs = [Run(base + 3 * i + 1, base + 3 * i + 3) for i in range(2_000)]
    finished = {offset for run in runs for offset in range(run.start, run.end)}
    metadata = encode(IDENTITY, base, runs, (990,), False, 0, LIMIT)
    known = decode(metadata[:length], IDENTITY, base)
    if known is not None:
        assert all(offset in finished for run in known.runs for offset in range(run.start, run.end))

"""Hostile records: first all that were ever of interest, then some thousands of new ones, the same in every run."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.case import Case, corpus, read, written
from tests.fuzz.generation import cases
from tests.fuzz.play import play

CORPUS = corpus()


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_keeps_every_promise(name: str) -> None:
    assert play(CORPUS[name])


def test_corpus_keeps_every_promise_played_as_one() -> None:
    """Duplicates, conflicts and crowded lanes come about between them."""
    records = tuple(record for case in CORPUS.values() for record in case.records)
    for seed in range(5):
        assert {"ended: accepted", "ended: dead_lettered"} <= play(Case(records, seed))


@pytest.mark.timeout(900)
@settings(
    max_examples=1_000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(cases)
def test_hostile_records_keep_every_promise(case: Case) -> None:
    play(case)
    assert read(written(case, ())) == case

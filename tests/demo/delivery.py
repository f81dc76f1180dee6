"""Traffic that was delivered without a flaw, as the account sees it: for tests that then spoil something."""

from connector.demo.evidence import Acceptance, DeadLetter, Evidence, Publication
from connector.demo.expectations import content_digest, publications
from connector.demo.people import PARTITIONS
from connector.demo.publishing import Published
from connector.demo.traffic import TrafficRecord, traffic

TOPIC = "customer-events"
GROUPS = ("group-us", "group-eu")
NOW = 1_760_000_000


def published(records: list[TrafficRecord]) -> list[Published]:
    """As Kafka acknowledges them."""
    offsets = [0] * PARTITIONS
    acknowledged = []
    for record in records:
        acknowledged.append(Published(record, offsets[record.partition], NOW * 1000))
        offsets[record.partition] += 1
    return acknowledged


def delivered(records: list[TrafficRecord]) -> Evidence:
    """Every event accepted once, in the order of publishing; every mistake a dead letter; everything committed."""
    known = list(publications(published(records), TOPIC, "cluster"))
    accepted = dict.fromkeys(
        Acceptance(publication.region, step.fingerprint)
        for publication in known
        if publication.reason is None
        for step in publication.steps
    )
    letters = [
        DeadLetter(
            publication.partition,
            publication.offset,
            publication.reason.value,
            content_digest(record.key, record.value),
        )
        for publication, record in zip(known, records, strict=True)
        if publication.reason is not None
    ]
    ends = {
        partition: sum(1 for publication in known if publication.partition == partition)
        for partition in range(PARTITIONS)
    }
    return Evidence(known, list(accepted), letters, ends, {group: dict(ends) for group in GROUPS})


def delivered_traffic(events: int = 2_000, seed: int = 1) -> Evidence:
    return delivered(list(traffic(seed, events, NOW)))


def copies(evidence: Evidence, publication: Publication) -> list[Publication]:
    """All records of the same event."""
    return [each for each in evidence.publications if each.event == publication.event]

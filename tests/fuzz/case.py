"""What is played: records and a seed, kept as JSON that a person can read."""

import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from connector.events.record import Headers, StoredRecord

CORPUS = Path(__file__).parent / "corpus"


class Hostile(NamedTuple):
    """A record without its place."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = []  # noqa: RUF012 - never changed
    timestamp_ms: int = -1

    def at(self, topic: str, partition: int, offset: int) -> StoredRecord:
        return StoredRecord(
            topic, partition, offset, self.value, self.key, self.headers or None, self.timestamp_ms
        )


class Case(NamedTuple):
    """`seed` decides the settings and what Customer.io answers."""

    records: tuple[Hostile, ...]
    seed: int = 0


def corpus() -> dict[str, Case]:
    """File name -> case."""
    return {path.name: read(path.read_text()) for path in sorted(CORPUS.glob("*.json"))}


def keep(case: Case, found: Iterable[str], kind: str) -> Path:
    """Writes it to the corpus with what it has shown."""
    text = written(case, found)
    path = CORPUS / f"{kind}-{sha256(text.encode()).hexdigest()[:12]}.json"
    path.write_text(text)
    return path


def written(case: Case, found: Iterable[str]) -> str:
    """Bytes that are no UTF-8 become lone surrogates, which JSON can write and nothing else here means."""
    records = []
    for record in case.records:
        fields: dict[str, Any] = {"value": _text(record.value)}
        if record.key is not None:
            fields["key"] = _text(record.key)
        if record.headers:
            fields["headers"] = [[name, _text(value)] for name, value in record.headers]
        if record.timestamp_ms >= 0:
            fields["timestamp_ms"] = record.timestamp_ms
        records.append(fields)
    return json.dumps({"found": sorted(found), "seed": case.seed, "records": records}, indent=1) + "\n"


def read(text: str) -> Case:
    document = json.loads(text)
    return Case(
        tuple(
            Hostile(
                _bytes(fields["value"]),
                _bytes(fields.get("key")),
                [(name, _bytes(value)) for name, value in fields.get("headers", [])],
                fields.get("timestamp_ms", -1),
            )
            for fields in document["records"]
        ),
        document["seed"],
    )


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")

"""Whom the traffic is about: people, visitors who are not known yet, and the companies that people belong to."""

import random
from enum import StrEnum
from zlib import crc32

import msgspec

PARTITIONS = 4
"""The embedded Kafka's topics have this many."""

EU_ID_PREFIX = "eu-"

_FIRST_NAMES = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Emre",
    "Fatima",
    "Grace",
    "Hiro",
    "Inês",
    "Jonas",
    "Zoë",
    "李娜",
)
_DOMAINS = ("example.com", "example.org", "example.net")
_EU_SHARE = 0.4


class RegionFrom(StrEnum):
    """What tells the connector the region of somebody's events."""

    DEFAULT = "default"
    RULE = "rule"
    """The id begins with `EU_ID_PREFIX`, which the demo's configuration has a routing rule for."""
    MEMBER = "member"
    HEADER = "header"


class Subject(msgspec.Struct, eq=False):
    """A person, a visitor or a company, under one identifier."""

    kind: str
    """`id`, `email`, `anonymous_id` or `object_id`."""
    value: str
    region: str
    region_from: RegionFrom
    name: str = ""
    changes: int = 0
    """Changes of state so far, a part of each: so no two say the same."""
    devices: list[str] = msgspec.field(default_factory=list)
    companies: list["Subject"] = msgspec.field(default_factory=list)
    """Those a person belongs to now."""
    companies_left: list["Subject"] = msgspec.field(default_factory=list)
    gone: bool = False
    """Nothing more is said about it."""

    @property
    def partition(self) -> int:
        return crc32(self.value.encode()) % PARTITIONS

    @property
    def identifiers(self) -> dict[str, str]:
        """As Track v2 has them."""
        if self.kind == "object_id":
            return {"object_type_id": "1", "object_id": self.value}
        return {self.kind: self.value}

    def change(self) -> int:
        """Counts one more change of state."""
        self.changes += 1
        return self.changes


class Population:
    """People come and go: whoever is deleted or merged into somebody else never comes back."""

    def __init__(self, source: random.Random, people: int) -> None:
        self._random = source
        self._number = 0
        self._people = [self._person() for _ in range(people)]
        self._visitors = [self._visitor() for _ in range(max(4, people // 20))]
        companies = max(2, people // 50)
        self._companies = {
            region: [self._company(region) for _ in range(companies)] for region in ("us", "eu")
        }

    def person(self) -> Subject:
        """Some are far more active than others."""
        return self._people[int(len(self._people) * self._random.random() ** 2)]

    def another(self, person: Subject) -> Subject | None:
        """Somebody else of the same region and partition, if one is soon found."""
        for candidate in self._random.choices(self._people, k=20):
            if candidate is not person and (candidate.region, candidate.partition) == (
                person.region,
                person.partition,
            ):
                return candidate
        return None

    def visitor(self) -> Subject:
        return self._random.choice(self._visitors)

    def company(self, region: str) -> Subject:
        return self._random.choice(self._companies[region])

    def goes(self, person: Subject) -> None:
        """Deleted, or merged into somebody else."""
        person.gone = True
        self._people[self._people.index(person)] = self._person()

    def closes(self, company: Subject) -> None:
        """Deleted."""
        company.gone = True
        companies = self._companies[company.region]
        companies[companies.index(company)] = self._company(company.region)

    def _person(self) -> Subject:
        source, number, region = self._random, self._next(), self._region()
        name = source.choice(_FIRST_NAMES)
        if source.random() < 0.2:
            address = f"person.{number}@{source.choice(_DOMAINS)}"
            return Subject("email", address, region, self._region_from(region), name)
        region_from = self._region_from(region, by_rule=True)
        prefix = EU_ID_PREFIX if region_from is RegionFrom.RULE else ""
        return Subject("id", f"{prefix}{number}-{source.getrandbits(32):08x}", region, region_from, name)

    def _visitor(self) -> Subject:
        region = self._region()
        return Subject("anonymous_id", f"visitor-{self._next()}", region, self._region_from(region))

    def _company(self, region: str) -> Subject:
        number = self._next()
        return Subject(
            "object_id", f"company-{number}", region, self._region_from(region), f"Company {number}"
        )

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _region(self) -> str:
        return "eu" if self._random.random() < _EU_SHARE else "us"

    def _region_from(self, region: str, by_rule: bool = False) -> RegionFrom:
        ways = [RegionFrom.MEMBER, RegionFrom.HEADER]
        if region == "us":
            ways.append(RegionFrom.DEFAULT)
        elif by_rule:
            ways.append(RegionFrom.RULE)
        return self._random.choice(ways)

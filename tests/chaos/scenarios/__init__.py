"""Every scenario, in the order in which they are played."""

from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import brokers, customerio, members, records, regions

ALL: tuple[Scenario, ...] = (
    *members.SCENARIOS,
    *brokers.SCENARIOS,
    *customerio.SCENARIOS,
    *regions.SCENARIOS,
    *records.SCENARIOS,
)

"""Every scenario, in the order in which they are played."""

from tests.chaos.scenario import Scenario, terminated
from tests.chaos.scenarios import brokers, customerio, members, records, regions

_TROUBLES: tuple[Scenario, ...] = (
    *members.SCENARIOS,
    *brokers.SCENARIOS,
    *customerio.SCENARIOS,
    *regions.SCENARIOS,
    *records.SCENARIOS,
)
ALL = (*_TROUBLES, *map(terminated, _TROUBLES))

"""Whatever a region is sent, and asked, goes to that region's own host."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from connector.core.answers import Accepted
from connector.core.options import DeliveryOptions
from connector.customerio.account_region import account_region
from connector.customerio.region_client import RegionClient
from connector.events.decode import Decoder
from connector.events.options import EventOptions
from connector.events.record import StoredRecord
from connector.pipeline.region_endpoint import region_endpoint
from connector.simulator import Simulator
from tests.core.harness import TOPIC, Harness
from tests.settings.configuration import loaded

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES: list[dict[str, Any]] = [
    example
    for name in ("track-v2", "segment")
    for example in msgspec.json.decode((SCHEMAS / f"{name}.schema.json").read_bytes())["examples"]
]
"""Every operation of both vocabularies."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("region", ["us", "eu"])
async def test_incident_25_every_kind_of_request_goes_to_its_region(region: str) -> None:
    core = Harness(regions=("us", "eu"), decode=Decoder(EventOptions(), "identifier"))
    async with Simulator() as simulator:
        settings = loaded(
            **{f"CIO_REGIONS__{name.upper()}__URL": simulator.url(name) for name in ("us", "eu")},
            CIO_HTTP__PROXY="",
        )
        endpoint = region_endpoint(settings, region)
        client = RegionClient(endpoint, DeliveryOptions())
        try:
            for offset, example in enumerate(EXAMPLES):
                value = msgspec.json.encode(example | {"region": region, "event_id": f"e-{offset}"})
                for send in core.take(StoredRecord(TOPIC, 0, offset, value, None, None, 1_000)):
                    assert send.region == region
                    answer = await client.send(send)
                    assert answer == Accepted()
                    core.answer(send, answer)
        finally:
            await client.aclose()
        assert core.endings(region) == {"accepted": len(EXAMPLES)}
        assert await account_region(endpoint) is not None
        asked = {name: workspace.counts.requests for name, workspace in simulator.workspaces.items()}
        operations = {operation.action for operation in simulator.workspaces[region].operations}
    assert asked.pop(region) > 0
    assert set(asked.values()) == {0}
    assert {"anonymous.event", "person.event", "person.merge", "object.identify"} <= operations


@pytest.mark.parametrize(("variables", "verified"), [({}, True), ({"CIO_HTTP__VERIFY_TLS": "false"}, False)])
def test_certificates_are_verified_unless_that_is_switched_off_by_name(
    variables: dict[str, str], verified: bool
) -> None:
    assert region_endpoint(loaded(**variables), "us").verify_tls is verified

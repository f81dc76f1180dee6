import time
from email.utils import formatdate

import pytest

from connector.checks.customerio import check_region
from connector.checks.deadline import Deadline
from connector.checks.result import Check, Status
from connector.customerio.endpoint import RegionEndpoint
from tests.customerio.misbehaving_server import answering, http, serving

BODY = b'{"url": "https://track.customer.io", "region": "us", "environment_id": 3}'


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def looked_at(url: str, **more: object) -> dict[str, Check]:
    given = {"name": "us", "url": url, "credentials": lambda: ("site", "key"), "proxy": "", **more}
    checks = await check_region(RegionEndpoint(**given), Deadline.after(20))  # type: ignore[arg-type]
    return {check.check: check for check in checks}


def statuses(checks: dict[str, Check]) -> dict[str, Status]:
    return {name: check.status for name, check in checks.items()}


@pytest.mark.anyio
async def test_a_region_that_works_is_ok() -> None:
    async with serving(answering(http(200, BODY, Date=formatdate(usegmt=True)))) as server:
        checks = await looked_at(server.url)
    assert set(statuses(checks).values()) == {Status.OK}
    assert checks["workspace"].message == "workspace 3 is in US, as configured"


@pytest.mark.anyio
@pytest.mark.parametrize(("seconds", "way"), [(600, "behind"), (-600, "ahead of")])
async def test_a_clock_that_is_off_is_a_warning(seconds: int, way: str) -> None:
    date = formatdate(time.time() + seconds, usegmt=True)
    async with serving(answering(http(200, BODY, Date=date))) as server:
        checks = await looked_at(server.url)
    assert checks["clock"].status is Status.WARN
    assert f"s {way} Customer.io's" in checks["clock"].message


@pytest.mark.anyio
@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
async def test_a_date_that_is_none_is_passed_over(date: str) -> None:
    async with serving(answering(http(200, BODY, Date=date))) as server:
        checks = await looked_at(server.url)
    assert "clock" not in checks


@pytest.mark.anyio
async def test_something_else_at_the_url_is_no_customer_io() -> None:
    async with serving(answering(http(200, b"<html>"))) as server:
        checks = await looked_at(server.url)
    assert statuses(checks) == {"region": "fail", "credentials": "skip", "workspace": "skip"}
    assert checks["region"].exit_code == 1


@pytest.mark.anyio
@pytest.mark.parametrize("more", [{"ca_file": "/no/such/file"}, {"proxy": "ftp://proxy"}])
async def test_what_is_wrong_without_asking_anybody_is_a_wrong_configuration(more: dict[str, str]) -> None:
    checks = await looked_at("https://track.customer.io", **more)
    assert checks["region"].exit_code == 2

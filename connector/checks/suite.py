"""Everything that can be known before `run`, looked at at the same time and told in a fixed order."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from connector.checks.collector import check_collectors
from connector.checks.customerio import check_region
from connector.checks.deadline import Deadline
from connector.checks.kafka import check_kafka
from connector.checks.result import Check, fail, ok, skip, warn
from connector.core.routing import Route
from connector.errors import ConfigurationError, ConnectorError, ExitCode
from connector.pipeline.region_endpoint import region_endpoint
from connector.pipeline.routing_function import load_routing_function
from connector.settings.environment import CONFIG_VARIABLE
from connector.settings.groups import consumer_groups
from connector.settings.load import file_in_effect, load_settings

TIMEOUT_SECONDS = 15.0
_LOOKED_AT = ("kafka", "customer.io")
"""What is left out where that would say nothing."""


async def checks(
    config: str | None,
    environ: Mapping[str, str],
    region: str | None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> AsyncIterator[Check]:
    """Each check as soon as it and those before it are done. `region`: only that one's group and workspace. With a
    configuration that is wrong there is nothing further to look at."""
    file = file_in_effect(config, environ)
    try:
        settings = load_settings(config, environ)
        groups = consumer_groups(settings, region)
    except ConfigurationError as error:
        if file is None:
            yield warn("configuration", "", "no file was read", f"Give --config, or {CONFIG_VARIABLE}")
        for problem in _problems(error):
            yield fail("configuration", "", problem, error.fix, ExitCode.USAGE)
        for other in _LOOKED_AT:
            yield skip(other, "", "since the configuration is wrong")
        return
    named = ", ".join(group.group_id for group in groups)
    yield ok(
        "configuration",
        file or "",
        f"complete (consumer groups: {named})",
    )
    route: Route | None = None
    if settings.routing.function is not None:
        try:
            route = load_routing_function(settings.routing.function)
        except ConnectorError as error:
            yield fail("routing_function", "", error.what, error.fix, ExitCode.USAGE)
            for other in _LOOKED_AT:
                yield skip(other, "", "since the routing function cannot be used")
            return
        yield ok("routing_function", settings.routing.function, "can be imported")
    deadline = Deadline.after(timeout_seconds)
    served = [name for group in groups for name in group.serves]
    looks = [
        asyncio.create_task(asyncio.to_thread(check_kafka, settings, groups, route, deadline)),
        *(asyncio.create_task(check_region(region_endpoint(settings, name), deadline)) for name in served),
        asyncio.create_task(check_collectors(environ, deadline)),
    ]
    for look in looks:
        for check in await look:
            yield check


def _problems(error: ConfigurationError) -> list[str]:
    """Each of several problems by itself: the first line only counts them."""
    lines = error.what.split("\n  ")
    return lines[1:] or lines

"""The connector's configuration in the demo: what anybody would write, and nothing to make it easier."""

from typing import Any

from connector.demo.people import EU_ID_PREFIX
from connector.simulator import Simulator

TOPIC = "customer-events"
DEAD_LETTER_TOPIC = f"{TOPIC}.dead-letters"
GROUP_ID = "cio-connector"


def connector_configuration(bootstrap_servers: str, customerio: Simulator) -> dict[str, Any]:
    """As it stands in the YAML file."""
    return {
        "kafka": {
            "bootstrap_servers": bootstrap_servers,
            "topics": [TOPIC],
            "group_id": GROUP_ID,
            "group_per_region": True,
            "group_protocol": "consumer",
        },
        "regions": {
            region: {
                "site_id": workspace.site_id,
                "api_key": workspace.api_key,
                "url": customerio.url(region),
            }
            for region, workspace in customerio.options.workspaces.items()
        },
        "routing": {"default": "us", "rules": [{"region": "eu", "id_pattern": f"^{EU_ID_PREFIX}"}]},
        "dead_letters": {"topic": DEAD_LETTER_TOPIC},
        "http": {"proxy": ""},
        "server": {"enabled": False},
        "log": {"format": "json"},
    }


def group_ids(customerio: Simulator) -> tuple[str, ...]:
    """The consumer groups that this configuration makes."""
    return tuple(f"{GROUP_ID}-{region}" for region in customerio.options.workspaces)

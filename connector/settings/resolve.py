"""Defaults that depend on other settings are filled in, so that what is shown is what is in effect."""

from msgspec.structs import replace

from connector.settings.model import RegionSettings, Settings

REGION_URLS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}


def resolved(
    settings: Settings, *, routing_default_given: bool = True, need_regions: bool = True
) -> Settings:
    """The settings with every default that another setting decides. With `need_regions` off and none
    configured, both of Customer.io's regions are assumed, without credentials: enough to say what would be
    sent."""
    regions = settings.regions
    if not regions and not need_regions:
        regions = {name: RegionSettings() for name in REGION_URLS}
    regions = {
        name: replace(region, url=(region.url or REGION_URLS.get(name, "")).rstrip("/"))
        for name, region in regions.items()
    }
    routing = settings.routing
    if not routing_default_given and len(regions) == 1:
        routing = replace(routing, default=next(iter(regions)))
    kafka = settings.kafka
    if kafka.group_per_region is None:
        kafka = replace(kafka, group_per_region=len(regions) > 1)
    dead_letters = settings.dead_letters
    if not dead_letters.topic and len(kafka.topics) == 1 and not kafka.topics[0].startswith("^"):
        dead_letters = replace(dead_letters, topic=f"{kafka.topics[0]}.dead-letters")
    return replace(settings, regions=regions, routing=routing, kafka=kafka, dead_letters=dead_letters)

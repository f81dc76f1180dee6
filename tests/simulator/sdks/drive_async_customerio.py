"""Every call of the `async-customerio` package that the stand-in knows. Arguments: site id, API key, port."""

import asyncio
import sys

from async_customerio import AsyncCustomerIO


async def main(site_id: str, api_key: str, port: int) -> None:
    client = AsyncCustomerIO(site_id, api_key, host="localhost", port=port, retries=0)
    region = await client.get_region()
    if region["region"] != "us":
        sys.exit(f"the region is {region}")
    await client.identify("1", email="one@example.com")
    await client.track("1", "bought", total=2)
    await client.pageview("1", "https://example.com/b")
    await client.backfill("1", "bought long ago", 1_600_000_000, total=2)
    await client.track_anonymous("anon", "looked", a=1)
    await client.add_device("1", "token", "android")
    await client.delete_device("1", "token")
    await client.merge_customers("id", "1", "email", "two@example.com")
    await client.v2.identify_person({"id": "3"}, plan="pro")
    await client.v2.track_person_event({"id": "3"}, "bought", total=1)
    await client.v2.send_batch([{"type": "person", "action": "delete", "identifiers": {"id": "3"}}])
    await client.suppress("1")
    await client.unsuppress("1")
    await client.delete("1")


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))

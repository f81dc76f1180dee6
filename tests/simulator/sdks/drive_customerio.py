"""Every call of the `customerio` package's Track client. Arguments: site id, API key, port."""

import sys

from customerio import CustomerIO, CustomerIOException

site_id, api_key, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = CustomerIO(site_id, api_key, host="localhost", port=port, retries=0)

client.identify(id="1", email="one@example.com", plan="pro")
client.track(customer_id="1", name="bought", data={"total": 1.5}, timestamp=1_700_000_000)
client.pageview(customer_id="1", page="https://example.com/a", referrer="b")
client.backfill("1", "bought long ago", 1_600_000_000, total=2)
client.track_anonymous(anonymous_id="anon", name="looked", data={"a": 1})
client.track_anonymous(anonymous_id=None, name="invited", data={"recipient": "two@example.com"})
client.add_device("1", "token/1", "ios", last_used=1_600_000_000)
client.delete_device("1", "token/1")
client.merge_customers("id", "1", "email", "two@example.com")
client.batch(
    [{"type": "person", "action": "identify", "identifiers": {"id": "3"}, "attributes": {"plan": "pro"}}]
)
client.suppress("1")
client.unsuppress("1")
client.delete("a/b@example.com")

try:
    CustomerIO(site_id, "wrong", host="localhost", port=port, retries=0).identify(id="1")
    sys.exit("a wrong key was accepted")
except CustomerIOException as refused:
    if not str(refused).startswith("401"):
        sys.exit(f"a wrong key was answered with {refused}")

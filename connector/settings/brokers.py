"""How brokers are named."""


def servers_wrong(servers: str) -> str:
    """What is wrong with `HOST:PORT,...`; empty if nothing is.

    A scheme that is not `security.protocol` makes librdkafka pass the broker over.
    """
    if "://" not in servers:
        return ""
    rests = [each.rpartition("://")[2].partition("/")[0].strip() for each in servers.split(",")]
    shown = "localhost:9092" if "@" in servers or not all(rests) else ",".join(rests)
    return f"must be host:port, such as {shown}, without ://; TLS is security.protocol in kafka.properties"

"""How a consumer is doing, for readiness."""

from enum import StrEnum


class ConsumerState(StrEnum):
    CONNECTING = "connecting"
    """Not yet in the group."""
    JOINED = "joined"
    """In the group, with partitions or waiting for some."""
    UNREACHABLE = "unreachable"
    """No broker answers."""
    REFUSED = "refused"
    """Credentials or permissions are refused, or there is no topic to read."""

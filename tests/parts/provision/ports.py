"""Ports on loopback that nothing listens on."""

import socket
from contextlib import ExitStack

from tests.parts.provision.errors import BrokenPartError


def free_ports(count: int) -> list[int]:
    """`count` different ports. All are held until the last is known, then released for whoever asked."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def require_free(port: int) -> None:
    """Raises BrokenPartError where something listens on a port that is to be used."""
    with socket.socket() as taken:
        taken.settimeout(5)
        if taken.connect_ex(("127.0.0.1", port)) == 0:
            raise BrokenPartError(f"port {port} is taken; choose another with --port")

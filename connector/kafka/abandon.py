"""Clients whose brokers do not answer, left to the end of the process."""

import threading


def abandon(client: object) -> None:
    """Keeps a client for as long as the process lives.

    When a client goes, librdkafka waits for its own threads, and where brokers do not answer now and then for ever
    (seen with 2.16; confluentinc/librdkafka#1640). A command that has said what is wrong must end.
    """
    threading.Thread(target=_keep, args=(client,), name="kafka-abandoned", daemon=True).start()


def _keep(client: object) -> None:
    # A daemon thread's frame is never cleared, not even at the interpreter's end.
    threading.Event().wait()

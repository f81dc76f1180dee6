"""Requests as the core asks for them."""

from connector.core.effects import Send


def a_send(
    body: bytes = b'{"batch":[]}',
    events: int = 1,
    deadline_seconds: float = 20.0,
    refresh_credentials: bool = False,
    path: str = "/api/v2/batch",
) -> Send:
    return Send(
        request_id=1,
        region="us",
        operation="batch",
        path=path,
        body=body,
        events=events,
        attempt=1,
        deadline_seconds=deadline_seconds,
        refresh_credentials=refresh_credentials,
    )

"""What it means when a request fails without an answer."""

import os
import ssl

import aiohttp
import httpx

from connector.core.answers import Unavailable
from connector.customerio.connections import Attempt


def unavailable(error: Exception, attempt: Attempt) -> Unavailable:
    """The failure in the core's words, with a line for people that holds nothing of request or answer.

    The transport translates aiohttp's errors into httpx's and loses differences that matter here (a server that
    hangs up becomes a connect timeout), so what it translated is looked at.
    """
    cause = error.__cause__ if isinstance(error, httpx.TransportError) else None
    cause = cause or error
    connecting = _connecting(cause)
    if connecting:
        return Unavailable("connect", detail=connecting)
    match cause:
        case aiohttp.ServerTimeoutError():
            return Unavailable("timeout", detail="the server fell silent")
        case aiohttp.ClientResponseError() | httpx.DecodingError():
            return Unavailable("unreadable", detail="the answer is not HTTP as it should be")
        case aiohttp.ClientError() | OSError():
            # Once an answer began, the server had taken the request: that is no idle connection's end.
            stale = attempt.connection_reused and not attempt.answer_began
            where = "within the answer" if attempt.answer_began else "before an answer"
            return Unavailable("reset", reused_connection_broke=stale, detail=f"the connection broke {where}")
        case _:
            return Unavailable("reset", detail=f"the request failed with {type(cause).__name__}")


def is_pool_suspect(error: Exception) -> bool:
    """Whether the error may come from a pool that has lost count of its connections: aiohttp says the same where
    no connection of the pool became free and where a new one did not come about."""
    return isinstance(error.__cause__, aiohttp.ConnectionTimeoutError)


def _connecting(cause: BaseException) -> str:
    """What kept the connection from being made; empty where it was made."""
    match cause:
        case aiohttp.ConnectionTimeoutError():
            return "no connection in time"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy answered {cause.status}"
        case aiohttp.ClientConnectorDNSError():
            return f"cannot resolve {cause.host}"
        case aiohttp.ClientConnectorCertificateError():
            return (
                f"the TLS certificate of {cause.host} is not trusted ({_tls_reason(cause.certificate_error)}); "
                "where a proxy or a private authority signs it, http.ca_file names what to trust"
            )
        case aiohttp.ClientSSLError():
            return f"TLS with {cause.host}:{cause.port} failed ({_tls_reason(cause.os_error)})"
        case aiohttp.ClientConnectorError():
            whom = "the proxy " if isinstance(cause, aiohttp.ClientProxyConnectionError) else ""
            return f"cannot connect to {whom}{cause.host}:{cause.port} ({_os_reason(cause.os_error)})"
        case _:
            return ""


def _tls_reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return reason.lower().replace("_", " ") if reason else type(error).__name__


def _os_reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else type(error).__name__

"""Customer.io's Track API without HTTP's sockets: one request in, its answer out, workspaces changed.

A request is applied at once and whole, or not at all.
"""

import base64
import binascii
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from connector.simulator import limits, v2
from connector.simulator.operation import InvalidError, Operation
from connector.simulator.options import WorkspaceOptions
from connector.simulator.v1_endpoints import Endpoint, find_endpoint
from connector.simulator.violations import Violation, Violations
from connector.simulator.workspace import Workspace


class Request(NamedTuple):
    """One HTTP request as far as the API looks at it."""

    region: str
    """The host that was asked."""
    method: str
    path: str
    """Still percent-encoded, without the query."""
    authorization: str
    content_type: str
    body: bytes
    base_url: Callable[[str], str]
    """Region -> the URL under which this client reaches it."""


class Reply(NamedTuple):
    """One HTTP answer; the body is JSON."""

    status: int
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}


class _BatchFrame(msgspec.Struct, forbid_unknown_fields=True):
    batch: list[msgspec.Raw]


_BATCH = msgspec.json.Decoder(_BatchFrame)
_JSON = msgspec.json.Decoder()
_UNREADABLE = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError)
_EMPTY_BODIES = (b"", b"{}", b"null")
_OK = Reply(200)
_REJECTED = InvalidError("attributes", "rejected by an injected fault")

Rejects = Callable[[], bool]
"""Asked for each item of a batch: is it rejected by an injected fault?"""


class TrackAPI:
    """Both regional hosts and their workspaces."""

    def __init__(
        self,
        options: Mapping[str, WorkspaceOptions],
        workspaces: Mapping[str, Workspace],
        violations: Violations,
        *,
        strict: bool,
    ) -> None:
        self._options = options
        self._workspaces = workspaces
        self._violations = violations
        self._strict = strict

    def answer(self, request: Request, now: float, rejects: Rejects | None = None) -> Reply:
        """Apply the request and answer it; `now` in monotonic seconds."""
        owner = self._owner(request.authorization)
        if owner is None:
            return self._unauthorised(request)
        if request.path == "/api/v1/accounts/region":
            return self._account_region(request, owner)
        if owner != request.region:
            return self._wrong_host(request, owner)
        workspace = self._workspaces[owner]
        if request.path == "/api/v2/batch" and request.method == "POST":
            return self._batch(request, workspace, now, rejects)
        if request.path == "/api/v2/entity" and request.method == "POST":
            return self._entity(request, workspace, now, rejects)
        return self._v1(request, workspace, now)

    # who asks, and where

    def _owner(self, authorization: str) -> str | None:
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            site_id, _, api_key = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        for region, workspace in self._options.items():
            if (site_id, api_key) == (workspace.site_id, workspace.api_key):
                return region
        return None

    def _account_region(self, request: Request, owner: str) -> Reply:
        if request.method != "GET":
            return self._no_such_endpoint(request, 405)
        answer = {
            "url": request.base_url(owner),
            "region": owner,
            "environment_id": self._options[owner].environment_id,
        }
        return Reply(200, msgspec.json.encode(answer))

    def _wrong_host(self, request: Request, owner: str) -> Reply:
        """The US host redirects other regions' workspaces, the others refuse them."""
        if request.region != "us":
            return self._unauthorised(request)
        self._workspaces[request.region].counts.requests_refused += 1
        return Reply(308, b"{}", {"Location": request.base_url(owner) + request.path})

    def _unauthorised(self, request: Request) -> Reply:
        self._workspaces[request.region].counts.requests_refused += 1
        return Reply(401, _encode({"meta": {"error": "Unauthorized request"}}))

    def _no_such_endpoint(self, request: Request, status: int) -> Reply:
        what = "no such endpoint" if status == 404 else "method not allowed"
        self._violate(request, request.method + " ?", None, "", InvalidError("path", what))
        return Reply(status, _encode({"meta": {"error": what}}))

    # v2

    def _batch(self, request: Request, workspace: Workspace, now: float, rejects: Rejects | None) -> Reply:
        try:
            items = self._batch_items(request)
        except InvalidError as error:
            return self._malformed(request, "POST /api/v2/batch", error)
        errors: list[dict[str, Any]] = []
        for index, (size, document, digest) in enumerate(items):
            try:
                operation = self._read_v2(document, size)
            except InvalidError as error:
                self._violate(request, "POST /api/v2/batch", index, _action(document), error)
                errors.append(_item_error(index, error))
                continue
            if rejects is not None and rejects():
                errors.append(_item_error(index, _REJECTED))
                continue
            workspace.apply(operation, digest, now)
        workspace.counts.operations_rejected += len(errors)
        return Reply(207, _encode({"errors": errors})) if errors else _OK

    def _batch_items(self, request: Request) -> list[tuple[int, Any, int]]:
        """(bytes, content, digest) of each item. All is decoded before anything is applied: one item that is
        not JSON makes the whole body malformed."""
        if len(request.body) >= limits.BATCH_BYTES:
            raise InvalidError(
                "", f"the request must be smaller than {limits.BATCH_BYTES} bytes", "too_large"
            )
        self._check_content_type(request)
        try:
            frame = _BATCH.decode(request.body)
            items = [(len(item), _JSON.decode(item), zlib.crc32(item)) for item in map(bytes, frame.batch)]
        except _UNREADABLE as error:
            raise InvalidError("batch", f"malformed: {_without_values(error)}", "malformed") from None
        if not items:
            raise InvalidError("batch", "cannot be empty", "required")
        return items

    def _read_v2(self, document: Any, size: int) -> Operation:
        if size > limits.OPERATION_BYTES:
            raise InvalidError("", f"cannot be larger than {limits.OPERATION_BYTES} bytes", "too_large")
        return v2.read_operation(document if self._strict else v2.forgive(document))

    def _entity(self, request: Request, workspace: Workspace, now: float, rejects: Rejects | None) -> Reply:
        document: Any = None
        try:
            if len(request.body) > limits.OPERATION_BYTES:
                raise InvalidError("", f"cannot be larger than {limits.OPERATION_BYTES} bytes", "too_large")
            self._check_content_type(request)
            document = _decode(request.body)
            operation = self._read_v2(document, len(request.body))
        except InvalidError as error:
            return self._malformed(request, "POST /api/v2/entity", error, _action(document))
        if rejects is not None and rejects():
            workspace.counts.operations_rejected += 1
            return Reply(400, _encode({"errors": [_error(_REJECTED)]}))
        workspace.apply(operation, zlib.crc32(request.body), now)
        return _OK

    def _malformed(self, request: Request, endpoint: str, error: InvalidError, action: str = "") -> Reply:
        self._violate(request, endpoint, None, action, error)
        return Reply(400, _encode({"errors": [_error(error)]}))

    # v1

    def _v1(self, request: Request, workspace: Workspace, now: float) -> Reply:
        endpoint = find_endpoint(request.method, request.path)
        if isinstance(endpoint, int):
            return self._no_such_endpoint(request, endpoint)
        try:
            operation = endpoint.read(self._v1_document(request, endpoint))
        except InvalidError as error:
            self._violate(request, endpoint.name, None, endpoint.action, error)
            text = f"{error.field}: {error.message}" if error.field else error.message
            meta = {"error": text} if endpoint.action == "person.merge" else {"errors": [text]}
            return Reply(400, _encode({"meta": meta}))
        workspace.apply(operation, zlib.crc32(request.body), now)
        return _OK

    def _v1_document(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        if not endpoint.has_body:
            if request.body.strip() not in _EMPTY_BODIES:
                raise InvalidError("", "takes no body")
            return {}
        self._check_content_type(request)
        document = _decode(request.body)
        if type(document) is not dict:
            raise InvalidError("", "must be an object")
        return document if self._strict else v2.forgive_event(document)

    # what is wrong

    def _check_content_type(self, request: Request) -> None:
        if self._strict and request.content_type.partition(";")[0].strip().lower() != "application/json":
            raise InvalidError("Content-Type", "must be application/json")

    def _violate(
        self, request: Request, endpoint: str, index: int | None, action: str, error: InvalidError
    ) -> None:
        if index is None:
            self._workspaces[request.region].counts.requests_refused += 1
        self._violations.add(
            Violation(request.region, endpoint, index, action, error.field, error.reason, error.message)
        )


def _decode(body: bytes) -> Any:
    try:
        return _JSON.decode(body)
    except _UNREADABLE as error:
        raise InvalidError("", f"malformed: {_without_values(error)}", "malformed") from None


def _without_values(error: Exception) -> str:
    """What the decoder says, unless it might quote the input."""
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _action(document: Any) -> str:
    """Type and action, if these are what they should be: for naming what was wrong."""
    if type(document) is not dict:
        return ""
    return v2.known_action(document.get("type"), document.get("action"))


def _error(error: InvalidError) -> dict[str, Any]:
    return {"reason": error.reason, "field": error.field, "message": error.message}


def _item_error(index: int, error: InvalidError) -> dict[str, Any]:
    return {"batch_index": index, **_error(error)}


def _encode(document: Any) -> bytes:
    return msgspec.json.encode(document)

"""What a person may choose about how events are read."""

from typing import Annotated

import msgspec
from msgspec import Meta


class SegmentOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How calls of the Segment spec become Customer.io operations."""

    email_from_traits: Annotated[
        bool,
        Meta(
            description="Without `userId`, identify the person by `traits.email` or `context.traits.email`."
        ),
    ] = True
    user_id_is_email: Annotated[
        bool, Meta(description="Send a `userId` that is an e-mail address as `email` instead of as `id`.")
    ] = True
    anonymous_id_on_identify: Annotated[
        bool,
        Meta(
            description="Add `anonymous_id` to identify, which joins earlier anonymous events to the person."
        ),
    ] = True
    object_type_id: Annotated[
        str, Meta(description="Object type of `group` calls that name none.", pattern="^[1-9][0-9]*$")
    ] = "1"
    semantic_events: Annotated[
        bool,
        Meta(
            description="Turn `User Deleted`, `User Suppressed`, `Device Deleted` and the other documented semantic "
            "events into the operation of that name instead of a plain event."
        ),
    ] = True


class EventOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How records are decoded."""

    record_timestamp: Annotated[
        bool,
        Meta(
            description="Send the Kafka record's timestamp with operations that carry none, so that an outage does "
            "not move them in time."
        ),
    ] = True
    segment: SegmentOptions = SegmentOptions()

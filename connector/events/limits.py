"""Customer.io's limits, on the exact bytes that are sent.

Only what concerns a whole operation is checked here. The limits of single attributes (names of 150 bytes, values of
1,000 bytes, 300 attributes) are not: attributes pass through unparsed, and Customer.io names the attribute that is
too long in its 207 answer, which dead-letters that record alone.

Source: Customer.io's Track API reference. "32 kB" is read as 32,000 bytes, the smaller and so the safe reading.
"""

OPERATION_BYTES_MAX = 32_000
"""One item of `POST /api/v2/batch`."""

V1_DATA_BYTES_MAX = 100_000
"""`data` of `POST /api/v1/events`."""

ID_BYTES_MAX = 150
"""What names a person, an object or a delivery, in UTF-8."""

EVENT_NAME_BYTES_MAX = 100
"""An event's, page's or screen's name, in UTF-8."""

NESTING_MAX = 500
"""Arrays and objects in one another. Ours: half of what Python's stack holds by default."""

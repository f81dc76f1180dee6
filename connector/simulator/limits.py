"""Customer.io's documented limits. A kB is read as 1,000 bytes: the smaller reading is safe."""

BATCH_BYTES = 500_000
"""A batch's body is smaller than this."""
OPERATION_BYTES = 32_000
"""An operation, alone or in a batch, has at most this."""
BODY_BYTES_READ = 2_000_000
"""The stand-in reads no longer bodies; they are refused like any that is too large."""
ID_BYTES = 150
ATTRIBUTE_NAME_BYTES = 150
ATTRIBUTE_VALUE_BYTES = 1_000
ATTRIBUTES = 300
"""Attributes of a person, object, relationship or identify call."""
EVENT_NAME_BYTES = 100
EVENT_DATA_BYTES = 100_000
"""Data of a v1 event."""

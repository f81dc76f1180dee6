"""What arrives: the vocabularies, decoding, limits, the ULID, and the operations that are sent. Pure."""

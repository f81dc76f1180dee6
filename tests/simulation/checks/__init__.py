"""The promises, each held against every step."""

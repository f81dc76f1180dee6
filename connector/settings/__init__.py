"""The settings: typed (model), loaded and checked (load), shown without secrets (redact), documented
(reference)."""

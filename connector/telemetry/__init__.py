"""Spans, metrics, logs and health, told by the core's outputs through one narrow interface (`interface.Telemetry`)."""

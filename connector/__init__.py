"""cio-connector: events from Kafka into Customer.io, losing none and counting none twice."""

__version__ = "0.1.0"

"""Real failures: real Kafka brokers, the Customer.io stand-in over sockets and real `cio-connector run` processes,
killed, stalled, refused and cut off while events flow. `python -m tests.chaos` plays every scenario and prints a table.

`traffic` and `publisher` say what was published, `outside` looks at what became of it without asking the connector,
`verdict` compares the two.
"""

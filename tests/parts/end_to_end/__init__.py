"""The connector as a process, a real Kafka, and the Customer.io stand-in over sockets: what is published is compared
with what became of it, without asking the connector."""

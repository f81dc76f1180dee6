"""The real parts that tests, benchmarks and demonstrations run against, on loopback; one module each.

They are fetched or built once, with Maven and Go, into a cache outside the repository.
`python -m tests.parts.provision --help` lists them.
"""

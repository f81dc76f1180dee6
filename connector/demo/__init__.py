"""The whole job on embedded parts: what `cio-connector demo` runs, and how it proves that nothing is lost."""

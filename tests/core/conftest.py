from hypothesis import settings

# How long one example takes says nothing about the core: the machine may be busy.
settings.register_profile("core", deadline=None)
settings.load_profile("core")

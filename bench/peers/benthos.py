"""placeholder"""


def available() -> bool:
    return False


def drain(brokers, url, events):
    raise NotImplementedError

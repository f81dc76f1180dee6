import subprocess
import sys

PROGRAM = """
from connector.kafka.abandon import abandon

class Client:
    def __del__(self):
        print("gone")

client = Client()
{}
print("ends")
"""


def output(last_line: str) -> str:
    program = [sys.executable, "-c", PROGRAM.format(last_line)]
    return subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout


def test_an_abandoned_client_never_goes() -> None:
    assert output("pass") == "ends\ngone\n"
    assert output("abandon(client)") == "ends\n"
    assert output("abandon(client); del client") == "ends\n"

"""A stand-in for Customer.io's Track API, for tests, for SDKs, and as `cio-connector simulate`."""

from connector.simulator.faults import Fault, FaultKind
from connector.simulator.options import SimulatorOptions, WorkspaceOptions
from connector.simulator.server import Simulator
from connector.simulator.thread import run_in_thread
from connector.simulator.violations import Violation
from connector.simulator.workspace import Acceptance, Effect, Workspace

__all__ = [
    "Acceptance",
    "Effect",
    "Fault",
    "FaultKind",
    "Simulator",
    "SimulatorOptions",
    "Violation",
    "Workspace",
    "WorkspaceOptions",
    "run_in_thread",
]

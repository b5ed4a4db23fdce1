"""A small network on this machine: namespaces joined by shaped links, and the processes that run in them."""

from .errors import BenchmarkError
from .machine import Busy, check_tools, load, touch_memory
from .namespaces import Network, network
from .plan import Counters, Host, Plan, Site
from .processes import Process, Processes, processes

__all__ = [
    "BenchmarkError", "Busy", "Counters", "Host", "Network", "Plan", "Process", "Processes", "Site", "check_tools",
    "load", "network", "processes", "touch_memory",
]  # fmt: skip

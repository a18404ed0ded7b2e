"""What a process that handles others' bytes takes from itself before it begins."""

import ctypes
import resource
import signal
import sys
from math import ceil
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # of Linux


def limit_memory(megabytes: int) -> None:
    """Counts from what is mapped by now: the interpreter and its libraries are not the work's."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    mapped = pages * resource.getpagesize()
    most = mapped + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor(seconds: float) -> None:
    """From now on. A child does many pieces of work, so each one gets its own allowance."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def die_with_parent() -> None:
    """Where the system can be asked to see to it, even if this process hangs."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

"""Servers that start quickly: a process that has imported the program once, and forks it.

What follows the imports is what `vendorwatch serve` does. A line of input is one server: its
environment and the path of its log, as JSON. Its id is printed.
"""

import json
import os
import signal
import sys

from vendorwatch.cli import main


def serve(environment: dict[str, str], log: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in enumerate((nothing, output, output)):
        os.dup2(source, descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["vendorwatch", "serve"]
    main()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who are killed
    for line in sys.stdin:
        child = os.fork()
        if not child:
            serve(*json.loads(line))
        os.setpgid(child, child)  # before anybody is told of it: the group is what is killed
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()

"""A child process ends when its parent is gone, also where nobody could tell it to."""

import multiprocessing
import os
import signal
import threading


def end_with_parent(*, grace_seconds: float = 0) -> None:
    """From now on. With a grace the process gets SIGTERM first, so that it ends what it does.

    The parent is watched through a pipe whose other end only it holds, as multiprocessing makes one
    for each child: that closes however the parent ends, and no other process can take its place, as
    one could that of a process id. Does nothing in a process that multiprocessing has not made.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        if grace_seconds:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(grace_seconds)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()

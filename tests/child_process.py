"""What a child process of a test does: it must be found by its name from there."""

import os
import signal
from pathlib import Path


def sign_in(folder: Path) -> None:
    """Writes its process id into `folder / "worker"`, all at once, and waits to be ended."""
    draft = folder / f"draft-{os.getpid()}"
    draft.write_text(str(os.getpid()), encoding="ascii")
    draft.rename(folder / "worker")
    signal.pause()

"""One contender of `scoring` in a process that has done nothing else, so that memory can be told.

alone.py write|score|DuckDB ROWS FOLDER: prints what it measured as JSON.
"""

import gc
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from bench import frames
from bench.receiving import NOW
from bench.rows import AGENTS
from bench.scoring import SCORE, SQL, count, score
from sql.figures import prepared

_WARM_UP = 2_000  # interactions: what is loaded or started at the first use is not counted


def main(what: str, n: int, folder: Path) -> dict[str, float]:
    if what == "write":
        frames.write(frames.made(n, AGENTS), folder)
        return {}
    return {SCORE: _score, SQL: _in_sql}[what](frames.read(folder))


def _score(given: frames.Frames) -> dict[str, float]:
    score(frames.inputs(_WARM_UP, AGENTS, now=NOW))
    inputs = frames.inputs_of(given, AGENTS, now=NOW)
    before = _reset_peak()
    timing = score(inputs)
    return _told(given, timing.wall, timing.cpu, _status("VmHWM") - before)


def _in_sql(given: frames.Frames) -> dict[str, float]:
    """Its memory is counted from when its tables are filled, beside the frames."""
    connection = prepared(frames.inputs_of(given, AGENTS, now=NOW))
    before = _reset_peak()
    timing = count(connection)
    return _told(given, timing.wall, timing.cpu, _status("VmHWM") - before)


def _told(given: frames.Frames, wall: float, cpu: float, peak: int) -> dict[str, float]:
    return {"wall": wall, "cpu": cpu, "peak": peak, "input_bytes": frames.size_of(given)}


def _reset_peak() -> int:
    """Sets the high-water mark back (proc(5), clear_refs); bytes that are resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    gc.freeze()  # as the server does with what it has imported
    _, contender, rows, home = sys.argv
    print(json.dumps(main(contender, int(rows), Path(home))))  # noqa: T201  for the parent

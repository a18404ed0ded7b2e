"""Measures receiving, reading, scoring, rendering and closing: `make bench`."""

import sys
from pathlib import Path

if __name__ == "__main__":  # a rendering process imports this file, too, and needs none of it
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from bench.main import main

    main()

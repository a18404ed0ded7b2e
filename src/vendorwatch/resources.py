"""Where the files that ship with the package are: in the wheel, or in the checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "_data"
_HOME = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent.parent

MIGRATIONS = _HOME / "migrations"
REPORTS = _HOME / "reports"
FIXTURES = _HOME / "fixtures"

"""The wheel works where there is no checkout."""

import os
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vendorwatch.db import migrate
from vendorwatch.resources import FIXTURES, MIGRATIONS, REPORTS

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
SHIPPED = {"migrations": MIGRATIONS, "reports": REPORTS, "fixtures": FIXTURES}


def uv(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [UV, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def told(run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = ("build", "--wheel", "--quiet", "--out-dir", folder)
    # The build backend lies in uv's cache since the checkout was set up, unless that was emptied.
    offline = uv(*build, "--offline")
    told(offline if offline.returncode == 0 else uv(*build))
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel, and our dependencies."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    told(uv("venv", "--offline", "--python", sys.executable, environment))
    told(
        uv(
            "pip",
            "install",
            "--offline",
            "--no-deps",
            "--python",
            environment / "bin/python",
            wheel,
        )
    )
    # A folder that a .pth file names is looked at, but its own .pth files are not: that is where
    # the checkout is mentioned.
    (packages,) = environment.glob("lib/python*/site-packages")
    ours = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (packages / "dependencies.pth").write_text("\n".join(ours), "utf-8")
    return environment / "bin"


def run(program: Path, *arguments: str, folder: Path) -> str:
    return told(
        subprocess.run(
            [program, *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    )


def test_holds_everything_that_the_package_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name, folder in SHIPPED.items():
        files = [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        assert files
        for path in files:
            assert f"vendorwatch/_data/{name}/{path.relative_to(folder).as_posix()}" in names
    package = [p for p in (ROOT / "src").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert {path.relative_to(ROOT / "src").as_posix() for path in package} <= names
    assert "vendorwatch/policies/default_policy.toml" in names


def test_holds_nothing_else(wheel: Path) -> None:
    for name in zipfile.ZipFile(wheel).namelist():
        top, _, rest = name.partition("/")
        assert top == "vendorwatch" or top.endswith(".dist-info"), name
        assert "__pycache__" not in rest
        assert not rest.startswith("tests")


def test_the_checkout_cannot_be_seen_from_where_it_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    program = "import vendorwatch, sys; print(vendorwatch.__file__, *sys.path, sep='\\n')"
    where, *path = run(installed / "python", "-c", program, folder=tmp_path).splitlines()
    assert Path(where).is_relative_to(installed.parent)
    assert str(ROOT / "src") not in path
    assert str(ROOT) not in path


def test_works_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    vendorwatch = installed / "vendorwatch"
    assert run(vendorwatch, "--version", folder=tmp_path).startswith("vendorwatch, version ")
    policy = run(vendorwatch, "policy", "default", folder=tmp_path)
    assert "[dimensions.response" in policy
    upgraded = run(vendorwatch, "db", "upgrade", folder=tmp_path)
    assert upgraded == f"The database is at revision {migrate.head()}.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["var"]
    assert (tmp_path / "var" / "vendorwatch.db").is_file()

"""The only reader of the environment."""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from vendorwatch.errors import Fault, Kind, VendorwatchError

T = TypeVar("T")
PREFIX = "VENDORWATCH_"
_BIND = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+):(?P<port>\d{1,5})")
_SHORTEST_SECRET = 32
_HIGHEST_PORT = 65_535
_ENVIRON: Mapping[str, str] = os.environ  # noqa: TID251  the one place


class BadSettings(VendorwatchError):
    """An environment variable holds a value that cannot be used, or a variable that starts with
    VENDORWATCH_ is not a setting. Every one of them is named.

    Correct or unset the variables. The reference of settings lists those that there are.
    """

    kind = Kind.REFUSED
    slug = "bad-settings"
    title = "The settings cannot be used"


@dataclass(frozen=True, slots=True)
class Setting:
    """How one variable is explained; `default` is what it is when the variable is not set."""

    variable: str
    default: str
    meaning: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path
    database_url: str
    secret_key: str
    host: str
    port: int
    public_url: str
    log_level: str

    CATALOGUE: ClassVar[tuple[Setting, ...]] = (
        Setting("VENDORWATCH_DATA_DIR", "var", "Folder of the database, uploads and PDFs."),
        Setting(
            "VENDORWATCH_DATABASE_URL",
            "sqlite:///<data_dir>/vendorwatch.db",
            "sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/NAME.",
            secret=True,
        ),
        Setting(
            "VENDORWATCH_SECRET_KEY",
            "made once, kept in <data_dir>/secret.key",
            "At least 32 characters. Keys and customer references are hashed under it: "
            "if it is lost, every API key must be made anew and customers are not recognised any more. "
            "Set it where several machines serve.",
            secret=True,
        ),
        Setting("VENDORWATCH_BIND", "127.0.0.1:8000", "HOST:PORT that the server listens on."),
        Setting("VENDORWATCH_PUBLIC_URL", "http://<bind>", "What links in answers start with."),
        Setting("VENDORWATCH_LOG_LEVEL", "info", "debug, info, warning or error."),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = _ENVIRON) -> "Settings":
        """Raises BadSettings that names every bad variable at once, unknown ones included."""
        reader = _Reader(environ)
        data_dir = Path(reader.get("DATA_DIR", "var"))
        host, port = reader.check("BIND", "127.0.0.1:8000", _parse_bind)
        settings = cls(
            data_dir=data_dir,
            database_url=reader.check(
                "DATABASE_URL", f"sqlite:///{data_dir / 'vendorwatch.db'}", _parse_database_url
            ),
            secret_key=reader.check("SECRET_KEY", "", _parse_secret),
            host=host,
            port=port,
            public_url=reader.check("PUBLIC_URL", f"http://{_join_bind(host, port)}", _parse_url),
            log_level=reader.check("LOG_LEVEL", "info", _parse_level),
        )
        reader.finish({setting.variable for setting in cls.CATALOGUE})
        return settings

    @property
    def bind(self) -> str:
        return _join_bind(self.host, self.port)

    def environment(self) -> dict[str, str]:
        """What a child process gets in order to run under these settings and no others."""
        inherited = {name: text for name, text in _ENVIRON.items() if not name.startswith(PREFIX)}
        ours = {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": self.secret_key,
            "BIND": self.bind,
            "PUBLIC_URL": self.public_url,
            "LOG_LEVEL": self.log_level,
        }
        return inherited | {PREFIX + name: text for name, text in ours.items() if text}

    def secret(self) -> bytes:
        """The server's secret; made and stored for the owner alone when none was ever set."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.data_dir / "secret.key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Written whole under another name first: a second process sees all of it or nothing.
            draft = path.with_name(f"secret.{secrets.token_hex(8)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first; its secret is the one
            finally:
                draft.unlink()
        return path.read_bytes()


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._faults: list[Fault] = []

    def get(self, name: str, default: str) -> str:
        return self._environ.get(PREFIX + name) or default

    def check(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.get(name, default))
        except ValueError as error:
            self._faults.append(Fault("bad-setting", str(error), field=PREFIX + name))
            return parse(default)

    def finish(self, known: set[str]) -> None:
        unknown = sorted(n for n in self._environ if n.startswith(PREFIX) and n not in known)
        self._faults += [Fault("unknown-setting", "is not a setting", field=n) for n in unknown]
        if self._faults:
            raise BadSettings("; ".join(map(str, self._faults)), faults=tuple(self._faults))


def _parse_bind(text: str) -> tuple[str, int]:
    found = _BIND.fullmatch(text)
    if not found or int(found["port"]) > _HIGHEST_PORT:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return found["host"].strip("[]"), int(found["port"])


def _join_bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _parse_database_url(text: str) -> str:
    if not re.match(r"(sqlite:///.|postgresql://.)", text):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return text


def _parse_secret(text: str) -> str:
    if text and len(text) < _SHORTEST_SECRET:
        raise ValueError(f"must have at least {_SHORTEST_SECRET} characters")
    return text


def _parse_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", text):
        raise ValueError(f"{text!r} is not an http or https address")
    return text.rstrip("/")


def _parse_level(text: str) -> str:
    if text not in {"debug", "info", "warning", "error"}:
        raise ValueError(f"{text!r} is not one of debug, info, warning, error")
    return text

"""The only reader of the environment."""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from vendorwatch.errors import Fault, Kind, VendorwatchError

T = TypeVar("T")
PREFIX = "VENDORWATCH_"
_ADDRESS = r"[^\s@<>(),;:\"\\]+@[^\s@<>(),;:\"\\]+"
_SENDER = re.compile(rf"(?P<name>[^<>@\r\n\"\\,;:]*)<(?P<address>{_ADDRESS})>|{_ADDRESS}", re.ASCII)
_SMTP = re.compile(r"smtps?://([^\s/@]+@)?(\[[0-9a-fA-F:]+\]|[^\s/@:\[\]]+)(:\d{1,5})?/?|file:.+")
_BIND = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+):(?P<port>\d{1,5})")
_HOST = re.compile(r"\*|\[[0-9a-f:.]+\]|[a-z0-9._-]+")
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
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
class Bounds:
    """How much callers may ask of one process. 0 switches a bound off, where there is
    a choice.
    """

    rate_limit: int = 6_000
    failed_keys: int = 600
    daily_rows: int = 20_000_000
    daily_bytes: int = 64 * 2**30
    uploads_at_once: int = 4
    uploads_open: int = 1_000
    uploads_open_each: int = 100
    body_floor: int = 1_024
    body_grace: int = 30
    head_seconds: int = 15
    disk_reserve: int = 256 * 2**20

    MEANINGS: ClassVar[Mapping[str, str]] = {
        "rate_limit": "Requests a minute with one key; more are answered 429.",
        "failed_keys": "Requests a minute without a valid key from one address; more are answered "
        "429 instead of 401. A valid key is never kept out by it.",
        "daily_rows": "Rows that one engagement may send in a day (UTC).",
        "daily_bytes": "Bytes, as sent, that one engagement may send in a day (UTC).",
        "uploads_at_once": "Logs that are read and stored at the same time, one of each "
        "engagement; the others wait for their turn, engagement by engagement.",
        "uploads_open": "Uploads in all that are being received or wait; more are answered 503.",
        "uploads_open_each": "The same of one engagement; more are answered 429.",
        "body_floor": "Bytes a second that a body must come in at, on average; else 408.",
        "body_grace": "Seconds over which that average is taken.",
        "head_seconds": "Seconds for the head of a request, and for which a connection may be idle.",
        "disk_reserve": "Bytes free in the data folder below which /ready says no; never more "
        "than a twentieth of the disk.",
    }

    @classmethod
    def catalogue(cls) -> tuple["Setting", ...]:
        return tuple(
            Setting(PREFIX + each.name.upper(), str(each.default), cls.MEANINGS[each.name])
            for each in fields(cls)
        )


@dataclass(frozen=True, slots=True)
class Settings:
    data_dir: Path
    database_url: str
    secret_key: str
    host: str
    port: int
    public_url: str
    allowed_hosts: str
    smtp_url: str
    mail_from: str
    operators: str
    mail_max_bytes: int
    embedded_worker: str  # auto, on, off
    log_level: str
    bounds: Bounds

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
        Setting(
            "VENDORWATCH_PUBLIC_URL",
            "http://<bind>",
            "What links in answers and in mail start with. Its host is never read from a request.",
        ),
        Setting(
            "VENDORWATCH_ALLOWED_HOSTS",
            "none",
            "Further hosts that requests may name in their header Host, without ports, with commas "
            "between them; * stands for any. The host of the public address, that of the bind "
            "address, localhost, 127.0.0.1 and [::1] always may; others are answered 400.",
        ),
        Setting(
            "VENDORWATCH_SMTP_URL",
            "not set: mail waits",
            "smtp://USER:PASSWORD@HOST:587 (STARTTLS, unless the host is this machine), smtps://..., "
            "or file:FOLDER, which writes each mail as an .eml file instead of sending it.",
            secret=True,
        ),
        Setting(
            "VENDORWATCH_MAIL_FROM",
            "vendorwatch <vendorwatch@HOST of the public address>",
            "The sender of mail: an address, or NAME <ADDRESS>.",
        ),
        Setting(
            "VENDORWATCH_OPERATORS",
            "nobody",
            "The address that is written to when a month is not issued or a mail not sent a day after it "
            "was due, and when a mail is given up.",
        ),
        Setting(
            "VENDORWATCH_MAIL_MAX_BYTES",
            "10000000",
            "The largest mail. A larger one has links instead of the PDFs.",
        ),
        Setting(
            "VENDORWATCH_EMBEDDED_WORKER",
            "auto",
            "Whether `vendorwatch serve` also closes months and sends mail: on, off, or auto, which is "
            "on with SQLite and off with PostgreSQL, where `vendorwatch worker` does it.",
        ),
        Setting("VENDORWATCH_LOG_LEVEL", "info", "debug, info, warning or error."),
        *Bounds.catalogue(),
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = _ENVIRON) -> "Settings":
        """Raises BadSettings that names every bad variable at once, unknown ones included."""
        reader = _Reader(environ)
        data_dir = Path(reader.get("DATA_DIR", "var"))
        host, port = reader.check("BIND", "127.0.0.1:8000", _parse_bind)
        public_url = reader.check("PUBLIC_URL", f"http://{_join_bind(host, port)}", _parse_url)
        settings = cls(
            data_dir=data_dir,
            database_url=reader.check(
                "DATABASE_URL", f"sqlite:///{data_dir / 'vendorwatch.db'}", _parse_database_url
            ),
            secret_key=reader.check("SECRET_KEY", "", _parse_secret),
            host=host,
            port=port,
            public_url=public_url,
            allowed_hosts=reader.check("ALLOWED_HOSTS", "", _parse_hosts),
            smtp_url=reader.check("SMTP_URL", "", _parse_smtp),
            mail_from=reader.check("MAIL_FROM", _default_sender(public_url), _parse_sender),
            operators=reader.check("OPERATORS", "", _parse_operators),
            mail_max_bytes=reader.check("MAIL_MAX_BYTES", "10000000", _parse_count),
            embedded_worker=reader.check("EMBEDDED_WORKER", "auto", _parse_worker),
            log_level=reader.check("LOG_LEVEL", "info", _parse_level),
            bounds=_read_bounds(reader),
        )
        reader.finish({setting.variable for setting in cls.CATALOGUE})
        return settings

    @property
    def brings_worker(self) -> bool:
        """Whether the server does the background work as well."""
        if self.embedded_worker == "auto":
            return self.database_url.startswith("sqlite")
        return self.embedded_worker == "on"

    @property
    def bind(self) -> str:
        return _join_bind(self.host, self.port)

    @property
    def hosts(self) -> frozenset[str]:
        """What a request may name in its header Host, in lower case; `*` stands for any."""
        own = (urlsplit(self.public_url).hostname or "", self.host.lower())
        given = self.allowed_hosts.split(",") if self.allowed_hosts else []
        return frozenset([*_THIS_MACHINE, *given, *(f"[{h}]" if ":" in h else h for h in own)])

    def environment(self) -> dict[str, str]:
        """What a child process gets in order to run under these settings and no others."""
        ours = {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "SECRET_KEY": self.secret_key,
            "BIND": self.bind,
            "PUBLIC_URL": self.public_url,
            "ALLOWED_HOSTS": self.allowed_hosts,
            "SMTP_URL": self.smtp_url,
            "MAIL_FROM": self.mail_from,
            "OPERATORS": self.operators,
            "MAIL_MAX_BYTES": str(self.mail_max_bytes),
            "EMBEDDED_WORKER": self.embedded_worker,
            "LOG_LEVEL": self.log_level,
            **{name.upper(): str(value) for name, value in asdict(self.bounds).items()},
        }
        return others_environment() | {PREFIX + n: text for n, text in ours.items() if text}

    @property
    def secret_path(self) -> Path:
        return self.data_dir / "secret.key"

    def secret(self) -> bytes:
        """The server's secret; made and stored for the owner alone when none was ever set."""
        if self.secret_key:
            return self.secret_key.encode()
        path = self.secret_path
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


def others_environment() -> dict[str, str]:
    """The environment without our settings, for a child process that is to know none of them."""
    return {name: text for name, text in _ENVIRON.items() if not name.startswith(PREFIX)}


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


def _read_bounds(reader: _Reader) -> Bounds:
    found = {
        each.name: reader.check(each.name.upper(), str(each.default), _parse_count)
        for each in fields(Bounds)
    }
    # Nothing would ever start, or no request come through.
    never_off = {name: max(1, found[name]) for name in ("uploads_at_once", "head_seconds")}
    return Bounds(**found | never_off)


def _parse_count(text: str) -> int:
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


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


def _parse_hosts(text: str) -> str:
    """In lower case, with nothing but commas between them."""
    hosts = [each.strip().lower() for each in text.split(",")] if text else []
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is not a host; it stands without a port, IPv6 in brackets")
    return ",".join(hosts)


def _parse_smtp(text: str) -> str:
    """What it says may hold a password: no error repeats it."""
    if text and not _SMTP.fullmatch(text):
        raise ValueError("must be smtp://, smtps:// with a host, or file: with a folder")
    return text


def _default_sender(public_url: str) -> str:
    """Of the host's own name; an address in numbers is not one that mail is from."""
    host = urlsplit(public_url).hostname or ""
    named = re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*", host)
    return f"vendorwatch <vendorwatch@{host if named else 'localhost'}>"


def _parse_sender(text: str) -> str:
    if not _SENDER.fullmatch(text):
        raise ValueError(f"{text!r} is not an address, or NAME <ADDRESS>")
    return text


def _parse_operators(text: str) -> str:
    if text and not re.fullmatch(_ADDRESS, text, re.ASCII):
        raise ValueError(f"{text!r} is not one address")
    return text


def _parse_worker(text: str) -> str:
    if text not in {"auto", "on", "off"}:
        raise ValueError(f"{text!r} is not one of auto, on, off")
    return text


def _parse_level(text: str) -> str:
    if text not in {"debug", "info", "warning", "error"}:
        raise ValueError(f"{text!r} is not one of debug, info, warning, error")
    return text

"""As whom we write, and what our links look like."""

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from urllib.parse import urlsplit

from vendorwatch.mailing import keys
from vendorwatch.mailing.keys import Permit
from vendorwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Sender:
    """As whom we write, and where our links lead."""

    address: Address
    public_url: str
    secret: bytes = field(repr=False)
    max_bytes: int
    operators: str

    @classmethod
    def of(cls, settings: Settings) -> "Sender":
        name, address = parseaddr(settings.mail_from)
        return cls(
            address=Address(name, addr_spec=address),
            public_url=settings.public_url,
            secret=settings.secret(),
            max_bytes=settings.mail_max_bytes,
            operators=settings.operators,
        )

    @property
    def host(self) -> str:
        return urlsplit(self.public_url).hostname or "localhost"

    def link(self, purpose: keys.Purpose, permit: Permit) -> str:
        path = {"unsubscribe": "unsubscribe", "report": "reports"}[purpose]
        return f"{self.public_url}/v1/{path}/{keys.sign(permit, purpose, self.secret)}"

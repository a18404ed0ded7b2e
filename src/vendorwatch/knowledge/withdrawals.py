"""Taking a question out of every score: what a person says for it, and what is kept."""

from dataclasses import dataclass

from vendorwatch.db.text import is_illegal, nfc
from vendorwatch.errors import Kind, VendorwatchError
from vendorwatch.periods import Micros

_LONGEST_REASON = 200

Version = tuple[str, int]
"""(question_id, version)"""


class BadWithdrawal(VendorwatchError):
    """The reason for which a question would be withdrawn is empty, too long or cannot be stored.

    Say in a sentence of up to 200 characters what is wrong with the question: it is kept for ever
    and shown wherever the question is.
    """

    kind = Kind.REFUSED
    slug = "bad-withdrawal"
    title = "The question cannot be withdrawn like this"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """From then on this version of a question counts for nobody, in any month."""

    reason: str
    withdrawn_at: Micros


def withdrawal_reason(text: str) -> str:
    """As it is stored: in one line. Raises BadWithdrawal."""
    reason = " ".join(text.split())
    if not reason:
        raise BadWithdrawal("The reason is empty.")
    if len(reason) > _LONGEST_REASON:
        raise BadWithdrawal(f"The reason has {len(reason)} characters; 200 is the most.")
    if is_illegal(reason):
        raise BadWithdrawal("The reason holds NUL or half a surrogate pair.")
    return nfc(reason)


def stored_form(question_id: str) -> str | None:
    """As documents are normalised when they are loaded; None for what no id can be."""
    return None if is_illegal(question_id) else nfc(question_id)

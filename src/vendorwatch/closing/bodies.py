"""As JSON: by what rules months are closed, and what a person decides."""

from typing import Annotated, Literal

import msgspec

from vendorwatch.closing.model import Approval, LateData, Rules, State
from vendorwatch.closing.refusals import BadClosingRequest
from vendorwatch.periods import Month

_MONTH = "YYYY-MM"


class ClosingRulesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out takes its default."""

    approval: Annotated[
        Approval, msgspec.Meta(description="hold: a person approves each month before it goes out.")
    ] = "automatic"
    late_data: Annotated[
        LateData, msgspec.Meta(description="automatic: late data makes a revision by itself.")
    ] = "ask"
    first_month: Annotated[
        str | None,
        msgspec.Meta(
            description=f"{_MONTH}. Default: the one in which the engagement was created."
        ),
    ] = None
    last_month: Annotated[
        str | None, msgspec.Meta(description=f"{_MONTH}. Default: it goes on.")
    ] = None

    def rules(self) -> Rules:
        """Raises BadClosingRequest."""
        return Rules(
            approval=self.approval,
            late_data=self.late_data,
            first_month=read_month("first_month", self.first_month),
            last_month=read_month("last_month", self.last_month),
        )


class ClosingRulesItem(msgspec.Struct, frozen=True, kw_only=True):
    """As they count; `first_month` also where it was not set."""

    approval: Approval
    late_data: LateData
    first_month: str
    first_month_by: Literal["rule", "engagement"]
    last_month: str | None


class ApproveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(description="Kept beside the decision.")] | None = None


class ReviseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(description="Shown beside the revision.")]


def read_month(field: str, text: str | None) -> Month | None:
    try:
        return None if text is None else Month.parse(text)
    except ValueError as error:
        raise BadClosingRequest(f"{field}: {error}.") from error


def rules_item(state: State) -> ClosingRulesItem:
    rules = state.rules
    return ClosingRulesItem(
        approval=rules.approval,
        late_data=rules.late_data,
        first_month=str(state.first_month),
        first_month_by="rule" if rules.first_month else "engagement",
        last_month=str(rules.last_month) if rules.last_month else None,
    )

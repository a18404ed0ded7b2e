"""A scorecard in a terminal."""

from scorecards import sample
from vendorwatch.scorecards.summary import lines


def test_new_metrics_are_shown_as_what_they_are() -> None:
    document = sample.with_new_metrics(sample.document())
    shown = {line.split()[0]: line for line in lines(document) if line.startswith(tuple(NEW))}

    for name, values in NEW.items():
        for value in values:
            assert value in shown[name], (value, shown[name])


NEW = {
    "next_reply_on_time": ("73.11 %", "6248", "90.00 %", "missed"),
    "quality": ("72.40 %", "60", "85.00 %", "missed", "clear"),
    "first_reply_p90": ("27840 s", "14400 s"),
}

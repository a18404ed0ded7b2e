"""Documents of months beside each other: gaps, directions, and what may not be concluded."""

from fractions import Fraction

from scorecards import sample
from vendorwatch.scorecards.trends import Trend, trends


def month(
    name: str, value: str | None, *, metric: str = "csat", score: str = "70.00"
) -> sample.Json:
    made = sample.document(month=name, score=score, names=[])
    made["vendor_scores"]["metrics"][metric]["value"] = value
    return made


def year(*values: str | None, metric: str = "csat") -> list[sample.Json]:
    """Months up to October 2026; the last value is October's."""
    first = 10 - len(values) + 1
    names = [f"2026-{at:02}" if at > 0 else f"2025-{at + 12:02}" for at in range(first, 11)]
    return [month(*each, metric=metric) for each in zip(names, values, strict=True)]


def of(metric: str, *values: str | None) -> Trend:
    *before, newest = year(*values, metric=metric)
    return trends(newest, before).metrics[metric]


def test_a_month_without_a_scorecard_is_a_gap_of_every_figure() -> None:
    july, _, _, october = year("0.80", "0.81", "0.82", "0.83")
    found = trends(october, [july])

    assert found.months == ("2026-07", "2026-08", "2026-09", "2026-10")
    assert found.cards == (july, None, None, october)
    assert found.metrics["csat"].values == ("0.80", None, None, "0.83")
    assert found.score.values == ("70.00", None, None, "70.00")
    assert found.metrics["csat"].chart.limits is None  # no two months in a row


def test_at_most_a_year_stands_beside_each_other_whatever_is_there() -> None:
    *before, newest = year(*["0.8"] * 14)

    assert trends(newest, before).months[0] == "2025-11"
    assert len(trends(newest, before).months) == 12


def test_what_was_not_reached_is_said_and_is_no_point() -> None:
    found = of("first_reply_p90", "3600", "not_reached", "3700", "3800")

    assert found.values == ("3600", "not_reached", "3700", "3800")
    assert found.chart.limits is not None
    assert found.chart.limits.mean == Fraction(3700)
    assert found.chart.limits.upper == 3700 + Fraction("2.66") * 100


def test_the_same_fall_is_worse_or_better_as_the_policy_has_it() -> None:
    values = ("0.90", "0.91", "0.90", "0.91", "0.90", "0.50")
    more = of("csat", *values)
    less = of("reopen_rate", *values)

    assert (more.better, more.chart.variation) == ("more", "worsening")
    assert (less.better, less.chart.variation) == ("less", "improving")
    assert (more.target, less.target) == ("0.85", "0.05")
    assert less.chart.assurance == "will_fail"


def test_without_a_target_a_change_is_neither_good_nor_bad() -> None:
    changed = of("handover_rate", "0.10", "0.11", "0.10", "0.11", "0.10", "0.50")
    steady = of("handover_rate", "0.10", "0.11", "0.10")

    assert changed.better is None
    assert changed.chart.signals[-1]
    assert changed.chart.variation is None
    assert changed.chart.assurance is None
    assert steady.chart.variation == "common_cause"


def test_limits_stay_trial_limits_until_a_whole_year_is_there() -> None:
    *before, newest = year(*["0.80", "0.81"] * 6)
    whole = trends(newest, before)
    one_less = trends(newest, before[1:])

    assert not whole.metrics["csat"].chart.trial
    assert one_less.metrics["csat"].chart.trial


def test_a_metric_that_an_old_scorecard_does_not_know_is_a_gap_there() -> None:
    september, october = year("0.80", "0.81")
    del september["vendor_scores"]["metrics"]["csat"]

    assert trends(october, [september]).metrics["csat"].values == (None, "0.81")


def test_a_month_that_stands_twice_counts_once_and_later_months_do_not_count() -> None:
    september, october = year("0.80", "0.81")

    assert trends(september, [september, october]).months == ("2026-09",)

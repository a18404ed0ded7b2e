"""What the months of a figure say, in words: of the document's and of trends' making, no other."""

from vendorwatch.scorecards.render.wording import Wording, capital, msgid
from vendorwatch.scorecards.trends import Trend
from vendorwatch.scoring.figures import NOT_REACHED

VARIATION = {
    "improving": msgid("improving"),
    "worsening": msgid("worsening"),
    "common_cause": msgid("steady"),
}
ASSURANCE = {
    "will_pass": msgid("will pass"),
    "will_fail": msgid("will fail"),
    "hit_and_miss": msgid("hit and miss"),
}
_UNJUDGED = {"up": msgid("went up"), "down": msgid("went down")}
_RULES = {
    ("trend_of_7", "up"): msgid("7 months rising"),
    ("trend_of_7", "down"): msgid("7 months falling"),
    ("run_of_7", "up"): msgid("7 months above its mean"),
    ("run_of_7", "down"): msgid("7 months below its mean"),
    ("two_of_three", "up"): msgid("2 of 3 months near its upper limit"),
    ("two_of_three", "down"): msgid("2 of 3 months near its lower limit"),
    ("outside", "up"): msgid("above its limits"),
    ("outside", "down"): msgid("below its limits"),
}
_ASSURED = {
    "will_pass": msgid("Will pass: even an unlucky month would meet the target."),
    "will_fail": msgid("Will fail: even a lucky month would miss the target."),
    "hit_and_miss": msgid("Hit and miss: the target lies within the limits."),
}


def state(trend: Trend) -> str | None:
    """improving, worsening, common_cause or changed; None where nothing can be said."""
    if trend.chart.variation is not None:
        return trend.chart.variation
    return "changed" if trend.chart.signals[-1] else None


def variation(trend: Trend, words: Wording) -> str | None:
    found = state(trend)
    if found == "changed":
        return words.gettext(_UNJUDGED[trend.chart.signals[-1][0].direction])
    return words.gettext(VARIATION[found]) if found else None


def rule(trend: Trend, words: Wording) -> str:
    """The first rule that the newest month hits: the one that is heeded."""
    signal = trend.chart.signals[-1][0]
    return words.gettext(_RULES[signal.rule, signal.direction])


def explained(trend: Trend, months: tuple[str, ...], words: Wording) -> list[str]:
    """Sentences for the foot of a chart."""
    found: list[str] = []
    told = variation(trend, words)
    if told is not None and trend.chart.signals[-1]:
        found.append(
            capital(words.gettext("%(state)s: %(why)s.", state=told, why=rule(trend, words)))
        )
    elif told is not None:
        found.append(words.gettext("Steady: the newest month is within the limits of noise."))
    if trend.chart.assurance is not None:
        found.append(words.gettext(_ASSURED[trend.chart.assurance]))
    if trend.chart.trial:
        found.append(words.gettext("Trial limits: fewer than 12 months."))
    gaps = [
        words.short_month(month)
        for month, value in zip(months, trend.values, strict=True)
        if value == NOT_REACHED
    ]
    if gaps:
        found.append(words.gettext("Not reached in %(months)s.", months=words.listed(gaps)))
    return found

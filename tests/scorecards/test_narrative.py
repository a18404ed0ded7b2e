from scorecards import sample
from vendorwatch.scorecards.render.findings import find
from vendorwatch.scorecards.render.headline import outliers
from vendorwatch.scorecards.render.narrative import questions, sentences
from vendorwatch.scorecards.render.wording import wording
from vendorwatch.scorecards.trends import Trends, trends

ENGLISH = wording("en")


NONE_REJECTED = {"received": 15_310, "rejected": 0, "uploads": 31}
CONTACTS = 4_981


def metrics() -> sample.Json:
    found: sample.Json = sample.document()["vendor_scores"]["metrics"]
    return found


def quiet() -> sample.Json:
    figures = metrics()
    for metric in figures.values():
        metric |= {"missing": 0, "evidence": metric["evidence"] and "within_noise"}
    return figures


def test_noise_is_not_news() -> None:
    findings = find(quiet(), {"received": 15_310, "rejected": 12, "uploads": 31}, CONTACTS)

    assert sentences(findings, ENGLISH) == []
    assert questions(findings, quiet(), ENGLISH) == []


def test_only_targets_missed_by_more_than_chance_are_asked_about() -> None:
    figures = metrics()
    findings = find(figures, NONE_REJECTED, CONTACTS)

    assert figures["resolution_on_time"]["contract"] == "missed"
    assert "resolution_on_time" not in findings.clearly_missed
    assert findings.clearly_missed[0] == "first_reply_on_time"
    assert len(questions(findings, figures, ENGLISH)) == 5


def test_a_question_carries_the_figure_and_the_target() -> None:
    figures = metrics()
    first = questions(find(figures, NONE_REJECTED, CONTACTS), figures, ENGLISH)[0]

    assert first["metric"] == "First reply on time"
    assert first["fact"] == "78.2%, target 90%"
    assert first["question"].endswith("?")


def test_a_month_without_a_contact_is_called_so_and_its_metrics_are_not_listed() -> None:
    figures = metrics()
    for each in figures.values():
        each |= {
            "denominator": 0,
            "missing": 0,
            "contract": "not_measurable",
            "evidence": "too_few",
        }
    findings = find(figures, {"received": 0, "rejected": 0, "uploads": 0}, 0)

    assert sentences(findings, ENGLISH) == ["No contact of this month has been received."]
    assert not findings.is_telling


def test_holes_in_the_data_are_said() -> None:
    figures = quiet()
    figures["csat"] |= {"denominator": 0, "contract": "not_measurable", "value": None}
    figures["reopen_rate"] |= {"missing": 700}
    told = sentences(
        find(figures, {"received": 100, "rejected": 1, "uploads": 1}, CONTACTS), ENGLISH
    )

    assert told == [
        "Nothing to measure this month for: Satisfied customers.",
        "1 of 100 rows received was rejected and counts nowhere.",
        "Left out because the log does not say: Reopened (700 of 5,151).",
    ]


def test_at_most_three_sentences_and_signals_come_first() -> None:
    document = sample.with_peers(sample.document())
    document["vendor_scores"]["metrics"]["csat"] |= {
        "denominator": 0,
        "contract": "not_measurable",
        "value": None,
    }
    told = sentences(
        find(
            document["vendor_scores"]["metrics"],
            {"received": 9, "rejected": 9, "uploads": 1},
            CONTACTS,
        ),
        ENGLISH,
        standing_out=outliers(document, FUNNEL),
    )

    assert len(told) == 3
    assert told[0].startswith("Agents who differ by more than chance")


FUNNEL = "first_contact_resolution"


def test_agents_are_named_in_alphabetical_order_and_never_by_how_far_they_are_off() -> None:
    document = sample.with_peers(sample.document(names=["Zoe", "Ágnes", "Bao", "Chi"]))
    for agent in document["agents"][:3]:
        agent["metrics"][FUNNEL]["peers"]["outside"] = "99.8"
    [told] = sentences(
        find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, standing_out=outliers(document, FUNNEL)
    )

    assert told == (
        "Agents who differ by more than chance in Resolved at first contact: "
        "Ágnes, Bao and Zoe (outside the 99.8% limits); Chi (outside the 95% limits); "
        "less certain than usual, as agents lie further apart than chance explains."
    )


def test_limits_are_called_less_certain_only_where_they_are() -> None:
    document = sample.with_peers(sample.document(), overdispersed=False)
    [told] = sentences(
        find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, standing_out=outliers(document, FUNNEL)
    )

    assert told.endswith("Chi (outside the 95% limits).")


def test_nobody_outside_is_no_news() -> None:
    document = sample.with_peers(sample.document(names=["A", "B", "C"]))

    assert not sentences(
        find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, standing_out=outliers(document, FUNNEL)
    )


def test_a_crowd_is_told_with_how_many_more_there_are() -> None:
    document = sample.with_peers(sample.document(names=[f"Agent {n}" for n in range(9)]))
    for agent in document["agents"]:
        agent["metrics"][FUNNEL]["peers"]["outside"] = "95"
    [told] = sentences(
        find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, standing_out=outliers(document, FUNNEL)
    )

    assert "Agent 4 and 4 more (outside the 95% limits)" in told
    assert "Agent 5" not in told


def months(metric: str, *values: str) -> Trends:
    made = [sample.document(month=f"2026-{at:02}", names=[]) for at in range(1, len(values) + 1)]
    for each, value in zip(made, values, strict=True):
        each["vendor_scores"]["metrics"][metric]["value"] = value
    return trends(made[-1], made[:-1])


def test_what_the_months_signal_is_told_with_its_rule() -> None:
    steady = ["0.90", "0.91"] * 3
    for metric, told in (
        ("csat", "Satisfied customers (worsening: below its limits)"),
        ("reopen_rate", "Reopened (improving: below its limits)"),
        ("handover_rate", "Handed over (went down: below its limits)"),
    ):
        found = sentences(
            find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, months=months(metric, *steady, "0.5")
        )
        assert found == [f"Changed by more than noise, by trial limits: {told}."]


def test_seven_months_in_a_row_are_a_change_and_after_a_year_no_trial() -> None:
    rising = [f"0.{80 + at}" for at in range(12)]

    assert sentences(
        find(quiet(), NONE_REJECTED, CONTACTS), ENGLISH, months=months("csat", *rising)
    ) == ["Changed by more than noise: Satisfied customers (improving: 7 months rising)."]


def test_what_is_counted_in_other_units_is_not_said_to_lack_a_share() -> None:
    figures = quiet()
    figures["next_reply_on_time"] = figures["csat"] | {"missing": 4000}
    figures["knowledge_coverage"] = figures["csat"] | {"missing": 4000}

    assert sentences(find(figures, NONE_REJECTED, CONTACTS), ENGLISH) == []

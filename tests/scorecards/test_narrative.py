from scorecards import sample
from vendorwatch.scorecards.render.findings import find
from vendorwatch.scorecards.render.narrative import questions, sentences
from vendorwatch.scorecards.render.wording import wording

ENGLISH = wording("en")


NONE_REJECTED = {"received": 15_310, "rejected": 0, "uploads": 31}


def metrics() -> sample.Json:
    found: sample.Json = sample.document()["vendor_scores"]["metrics"]
    return found


def quiet() -> sample.Json:
    figures = metrics()
    for metric in figures.values():
        metric |= {"missing": 0, "evidence": metric["evidence"] and "within_noise"}
    return figures


def test_noise_is_not_news() -> None:
    findings = find(quiet(), {"received": 15_310, "rejected": 12, "uploads": 31})

    assert sentences(findings, ENGLISH) == []
    assert questions(findings, quiet(), ENGLISH) == []


def test_only_targets_missed_by_more_than_chance_are_asked_about() -> None:
    figures = metrics()
    findings = find(figures, NONE_REJECTED)

    assert figures["resolution_on_time"]["contract"] == "missed"
    assert "resolution_on_time" not in findings.clearly_missed
    assert findings.clearly_missed[0] == "first_reply_on_time"
    assert len(questions(findings, figures, ENGLISH)) == 5


def test_a_question_carries_the_figure_and_the_target() -> None:
    figures = metrics()
    first = questions(find(figures, NONE_REJECTED), figures, ENGLISH)[0]

    assert first["metric"] == "First reply on time"
    assert first["fact"] == "78.2%, target 90%"
    assert first["question"].endswith("?")


def test_holes_in_the_data_are_said() -> None:
    figures = quiet()
    figures["csat"] |= {"denominator": 0, "contract": "not_measurable", "value": None}
    figures["reopen_rate"] |= {"missing": 700}
    told = sentences(find(figures, {"received": 100, "rejected": 1, "uploads": 1}), ENGLISH)

    assert told == [
        "Nothing to measure this month for: Satisfied customers.",
        "1 of 100 rows received was rejected and counts nowhere.",
        "Left out because the log does not say: Reopened (700 of 5,151).",
    ]


def test_at_most_three_sentences() -> None:
    figures = metrics()
    figures["csat"] |= {"denominator": 0, "contract": "not_measurable", "value": None}

    assert len(sentences(find(figures, {"received": 9, "rejected": 9, "uploads": 1}), ENGLISH)) == 3

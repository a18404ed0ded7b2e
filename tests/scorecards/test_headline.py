from scorecards import sample
from vendorwatch.scorecards.render.headline import funnel_metric, headline


def test_the_headline_is_of_the_heaviest_dimension_and_has_a_target() -> None:
    document = sample.document()

    assert headline(document) == "resolution_rate"  # resolution weighs 50
    document["vendor_scores"]["dimensions"]["response"]["weight"] = "60"
    assert headline(document) == "first_reply_on_time"
    document["vendor_scores"]["metrics"]["first_reply_on_time"] |= {"target": None}
    assert headline(document) == "first_reply_p50"


def test_a_policy_without_any_target_has_no_headline() -> None:
    document = sample.document()
    for figures in document["vendor_scores"]["metrics"].values():
        figures["target"] = None

    assert headline(document) is None
    assert funnel_metric(document) is None


def test_the_funnel_shows_where_agents_of_the_headlines_dimension_differ_most() -> None:
    document = sample.with_peers(sample.document())
    sample.with_peers(document, "reopen_rate")
    sample.with_peers(document, "first_reply_on_time")
    metrics = document["vendor_scores"]["metrics"]
    metrics["reopen_rate"]["peers"]["dispersion"] = "10.100000"
    metrics["first_reply_on_time"]["peers"]["dispersion"] = "99.000000"

    assert funnel_metric(document) == "reopen_rate"


def test_two_agents_or_agents_who_are_all_alike_make_no_funnel() -> None:
    for change in ({"agents": 2}, {"dispersion": None}):
        document = sample.with_peers(sample.document())
        document["vendor_scores"]["metrics"]["first_contact_resolution"]["peers"] |= change
        assert funnel_metric(document) is None


def test_a_scorecard_of_an_earlier_version_has_no_funnel() -> None:
    assert funnel_metric(sample.document()) is None

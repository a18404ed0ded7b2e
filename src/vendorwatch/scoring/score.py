"""Records, a policy and an instant in; a scorecard out."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import polars as pl

from vendorwatch.periods import format_instant
from vendorwatch.scoring.comparison import compare
from vendorwatch.scoring.counting import count
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.document import (
    SCHEMA,
    Document,
    Terms,
    metric_documents,
    scores_document,
    survey_document,
)
from vendorwatch.scoring.facts import EXCLUSIONS
from vendorwatch.scoring.figures import VENDOR, Who
from vendorwatch.scoring.fingerprint import of_records, with_measured, with_names
from vendorwatch.scoring.inputs import Inputs, final_instant
from vendorwatch.scoring.interaction_figures import figures_of_interactions
from vendorwatch.scoring.judging import Judgement
from vendorwatch.scoring.knowledge_figures import figures_of_knowledge
from vendorwatch.scoring.measured import Measured, measure
from vendorwatch.scoring.metrics import DIMENSION_OF, RATES
from vendorwatch.scoring.points import Marking


def score_month(inputs: Inputs) -> Document:
    """The document of metrics.md, not issued (revision 0). Exact and reproducible."""
    policy = inputs.policy.policy
    knowledge, answers = (
        frame.with_columns(pl.col("agent_id").replace(inputs.aliases))
        for frame in (inputs.knowledge, inputs.answers)
    )
    # What Polars does there leaves a core to Python here.
    with ThreadPoolExecutor(1) as beside, ThreadPoolExecutor(1) as behind:
        records = beside.submit(of_records, inputs)
        measured = measure(inputs)
        counted = count(measured, beside=beside, behind=behind)
        fingerprint = behind.submit(with_measured, records.result(), measured)
        asked = knowledge.filter(~pl.col("excused"))["agent_id"]
        agents = sorted({*counted.work, *asked})
        everybody: list[Who] = [VENDOR, *agents]
        marking, terms = Marking.of(policy), Terms.of(policy)
        judged: dict[str, dict[Who, Judgement]] = {}
        written: dict[str, dict[Who, Document]] = {}
        for metric, figures in chain(
            figures_of_knowledge(counted, knowledge, answers, everybody),
            figures_of_interactions(counted, everybody),
        ):
            beside_others = compare(counted, RATES[metric]) if metric in RATES else {}
            judged[metric] = marking.judge(metric, figures)
            written[metric] = metric_documents(
                metric, figures, judged[metric], beside_others, terms
            )
        invited, answered = map(counted.resolution.other, ("csat_invited", "csat_answered"))
        for who, csat in written["csat"].items():  # beside it always stands how many were asked
            csat["survey"] = survey_document(invited.get(who, 0), answered.get(who, 0))

    def scores_of(who: Who) -> Document:
        of_metric = {metric: judged[metric][who] for metric in DIMENSION_OF}
        metrics: Document = {metric: written[metric][who] for metric in DIMENSION_OF}
        return scores_document(marking.score(of_metric), metrics, terms)

    return {
        "schema": SCHEMA,
        "engagement_id": inputs.engagement_id,
        "merchant": inputs.merchant,
        "vendor": inputs.vendor,
        "month": str(inputs.month),
        "time_zone": inputs.zone.key,
        "as_of": format_instant(inputs.as_of),
        "status": _status(inputs),
        "revision": 0,
        "policy": {
            "id": inputs.policy.policy_id,
            "version": inputs.policy.version,
            "sha256": inputs.policy.sha256,
            "balance": policy.balance,
        },
        "records_sha256": with_names(fingerprint.result(), inputs, agents),
        "code_version": inputs.code_version,
        "uploads": dict(inputs.uploads),
        "volume": _volume(measured),
        "vendor_scores": scores_of(VENDOR),
        "agents": [
            {
                "agent_id": agent,
                "name": inputs.names.get(agent),
                "volume": counted.work[agent].interactions if agent in counted.work else 0,
                **scores_of(agent),
            }
            for agent in agents
        ],
    }


def _status(inputs: Inputs) -> str:
    final = final_instant(inputs.month, inputs.zone, inputs.policy.policy)
    return "final" if inputs.as_of == final <= inputs.now else "provisional"


def _volume(measured: Measured) -> Document:
    in_month, facts = measured.in_month, measured.timed
    counts = dict(in_month["excluded"].drop_nulls().value_counts().iter_rows())
    replied, resolved = (pl.col(column).is_null() for column in CREDIT.values())
    nobody = facts.select((replied & (resolved | ~pl.col("in_base"))).sum()).item()
    return {
        "received": measured.inputs.received,
        "in_month": in_month.height,
        "scored": facts.height,
        "excluded": {reason: counts.get(reason, 0) for reason in EXCLUSIONS},
        "unassigned": nobody,
    }

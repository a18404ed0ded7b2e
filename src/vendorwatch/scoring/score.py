"""Records, a policy and an instant in; a scorecard out."""

from concurrent.futures import ThreadPoolExecutor

import polars as pl

from vendorwatch.periods import format_instant
from vendorwatch.scoring.comparison import compare
from vendorwatch.scoring.counting import count
from vendorwatch.scoring.credit import CREDIT
from vendorwatch.scoring.document import SCHEMA, Document, Terms, scores_document
from vendorwatch.scoring.facts import EXCLUSIONS
from vendorwatch.scoring.figures import VENDOR, Who
from vendorwatch.scoring.fingerprint import of_records, with_measured, with_names
from vendorwatch.scoring.inputs import Inputs, final_instant
from vendorwatch.scoring.interaction_figures import figures_of_interactions
from vendorwatch.scoring.knowledge_figures import figures_of_knowledge
from vendorwatch.scoring.measured import Measured, measure
from vendorwatch.scoring.points import Marking


def score_month(inputs: Inputs) -> Document:
    """The document of metrics.md, not issued (revision 0). Exact and reproducible."""
    policy = inputs.policy.policy
    knowledge, answers = (
        frame.with_columns(pl.col("agent_id").replace(inputs.aliases))
        for frame in (inputs.knowledge, inputs.answers)
    )
    with ThreadPoolExecutor(2) as beside:  # what Polars does there leaves a core to Python here
        records = beside.submit(of_records, inputs)
        measured = measure(inputs)
        fingerprint = beside.submit(with_measured, records.result(), measured)
        counted = count(measured)
        comparisons = compare(counted)
        asked = knowledge.filter(~pl.col("excused"))["agent_id"]
        agents = sorted({*counted.agents, *asked})
        of_interactions = figures_of_interactions(counted, agents)
        of_knowledge = figures_of_knowledge(counted, knowledge, answers, agents)

    marking, terms = Marking.of(policy), Terms.of(policy)
    invited, answered = map(counted.resolution.other, ("csat_invited", "csat_answered"))

    def scores_of(who: Who, minimum: int) -> Document:
        figures = {**of_interactions[who], **of_knowledge[who]}
        judged = marking.score(figures, minimum)
        survey = invited.get(who, 0), answered.get(who, 0)
        return scores_document(judged, figures, comparisons.get(who, {}), terms, survey)

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
        "vendor_scores": scores_of(VENDOR, policy.minimum_volume.vendor),
        "agents": [
            {
                "agent_id": agent,
                "name": inputs.names.get(agent),
                "volume": counted.work[agent].interactions if agent in counted.work else 0,
                **scores_of(agent, policy.minimum_volume.agent),
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

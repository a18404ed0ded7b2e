-- Every count of a scorecard, in SQL, as somebody would write it who has the same tables in DuckDB.
--
-- The tables it reads are described in tables.py; the instants and limits are variables. Each metric
-- becomes a part that an interaction plays: 0 numerator, 1 denominator alone, 2 pending, 3 missing,
-- null nothing. Statements end with a semicolon at the end of a line.

CREATE OR REPLACE TEMP MACRO happened(instant) AS coalesce(instant <= getvariable('as_of'), false);

CREATE OR REPLACE TEMP MACRO gave_up(status, first_reply_at, abandoned_at) AS
    status = 'abandoned'
    AND NOT happened(first_reply_at)
    AND (abandoned_at IS NULL OR happened(abandoned_at));

CREATE OR REPLACE TEMP MACRO exclusion(
    direction, status, channel, opened_at, first_reply_at, abandoned_at
) AS CASE
    WHEN direction = 'outbound' THEN 'outbound'
    WHEN status IN ('spam', 'merged', 'withdrawn') THEN status
    WHEN channel IN ('phone', 'chat')
        AND gave_up(status, first_reply_at, abandoned_at)
        AND abandoned_at - opened_at <= getvariable('short_abandon') THEN 'short_abandoned'
END;

-- Open time of a clock up to an instant, from the row of the instant's minute.
CREATE OR REPLACE TEMP MACRO open_at(minute, instant) AS
    minute.open_before + minute.is_open * (instant - minute.minute * 60000000);

-- Met, missed or pending. A target is a span, or an instant by which it is due (null: not before
-- the as-of instant). `due` is null with `limit` for all others.
CREATE OR REPLACE TEMP MACRO timed_part(reached, finish, span, waited, span_limit, due) AS CASE
    WHEN reached AND CASE WHEN span_limit IS NULL THEN coalesce(finish <= due, true)
                          ELSE span <= span_limit END THEN 0
    WHEN reached THEN 1
    WHEN CASE WHEN span_limit IS NULL THEN coalesce(due < getvariable('as_of'), false)
              ELSE waited > span_limit END THEN 1
    ELSE 2
END::TINYINT;

CREATE OR REPLACE TEMP MACRO share_part(condition) AS (CASE WHEN condition THEN 0 ELSE 1 END)::TINYINT;

CREATE OR REPLACE TEMP MACRO counts(part) AS {
    'numerator': count(*) FILTER (part = 0),
    'denominator': count(*) FILTER (part <= 1),
    'pending': count(*) FILTER (part = 2),
    'missing': count(*) FILTER (part = 3)
};

CREATE OR REPLACE TEMP MACRO total(counted) AS {
    'numerator': coalesce(sum(counted.numerator), 0)::BIGINT,
    'denominator': coalesce(sum(counted.denominator), 0)::BIGINT,
    'pending': coalesce(sum(counted.pending), 0)::BIGINT,
    'missing': coalesce(sum(counted.missing), 0)::BIGINT
};

-- The month's interactions, what had happened to them by the as-of instant, and who is credited.
CREATE OR REPLACE TEMP TABLE month AS
SELECT
    i.rowid AS id, i.source_account, i.interaction_id, i.channel, i.priority, i.topic,
    i.opened_at, i.first_reply_at, i.resolved_at, i.first_reply_known, i.resolution_known,
    i.customer_ref, i.order_ref, i.reopens, i.handovers, i.csat, i.next_replies,
    exclusion(i.direction, i.status, i.channel, i.opened_at, i.first_reply_at, i.abandoned_at)
        AS excluded,
    happened(i.first_reply_at) AS replied,
    NOT gave_up(i.status, i.first_reply_at, i.abandoned_at) AS in_base,
    happened(i.resolved_at) AND i.status IN ('resolved', 'closed') AND i.resolved_by <> 'automation'
        AS resolved,
    i.csat IS NOT NULL AND (i.csat_at IS NULL OR happened(i.csat_at)) AS answered,
    happened(i.csat_invited_at) AS invited,
    coalesce(r.agent_id, i.first_reply_agent_id, i.agent_id) AS response_agent,
    coalesce(s.agent_id, i.resolved_by_agent_id, i.agent_id) AS resolution_agent
FROM interactions i
LEFT JOIN aliases r ON r.alias = coalesce(i.first_reply_agent_id, i.agent_id)
LEFT JOIN aliases s ON s.alias = coalesce(i.resolved_by_agent_id, i.agent_id)
WHERE i.opened_at >= getvariable('month_start')
    AND i.opened_at < getvariable('month_end')
    AND happened(i.opened_at);

-- Resolved ones after which the customer came to any vendor about the same thing. (As a semi join it
-- would be a nested loop in DuckDB 1.5; so it is a hash join on the customer.)
CREATE OR REPLACE TEMP TABLE repeated AS
SELECT DISTINCT m.id
FROM (
    FROM month
    WHERE excluded IS NULL AND in_base AND resolved AND customer_ref IS NOT NULL
) m
JOIN (
    FROM (
        SELECT getvariable('vendor_id') AS vendor_id, * FROM interactions
        UNION ALL BY NAME
        FROM contacts
    )
    SELECT vendor_id, source_account, interaction_id, opened_at, customer_ref, topic, order_ref
    WHERE happened(opened_at)
        AND exclusion(direction, status, channel, opened_at, first_reply_at, abandoned_at) IS NULL
) c
ON c.customer_ref = m.customer_ref
WHERE c.opened_at >= m.opened_at
    AND c.opened_at <= m.resolved_at + getvariable('repeat_window')
    AND (
        c.opened_at > m.opened_at
        OR c.vendor_id > getvariable('vendor_id')
        OR (
            c.vendor_id = getvariable('vendor_id')
            AND (
                c.interaction_id > m.interaction_id
                OR (
                    c.interaction_id = m.interaction_id
                    AND c.source_account > m.source_account
                )
            )
        )
    )
    AND CASE
        WHEN c.topic IS NOT NULL AND m.topic IS NOT NULL THEN c.topic = m.topic
        WHEN c.order_ref IS NOT NULL AND m.order_ref IS NOT NULL THEN c.order_ref = m.order_ref
        ELSE true
    END;

-- Spans on the clock that the target names, and the parts in every metric.
CREATE OR REPLACE TEMP TABLE facts AS
WITH spans AS (
    SELECT
        m.*,
        t.reply_limit, t.resolution_limit,
        reply_due.due_at AS reply_due, resolution_due.due_at AS resolution_due,
        CASE WHEN t.reply_is_business THEN open_at(replied_in, m.first_reply_at)
                - open_at(opened_in, m.opened_at)
            ELSE m.first_reply_at - m.opened_at END AS reply_span,
        CASE WHEN t.reply_is_business THEN t.open_at_as_of - open_at(opened_in, m.opened_at)
            ELSE getvariable('as_of') - m.opened_at END AS reply_waited,
        CASE WHEN t.resolution_is_business THEN open_at(resolved_in, m.resolved_at)
                - open_at(opened_in, m.opened_at)
            ELSE m.resolved_at - m.opened_at END AS resolution_span,
        CASE WHEN t.resolution_is_business THEN t.open_at_as_of - open_at(opened_in, m.opened_at)
            ELSE getvariable('as_of') - m.opened_at END AS resolution_waited,
        m.id IN (FROM repeated) AS is_repeated,
        CASE WHEN m.resolved THEN m.resolved_at ELSE m.opened_at END
            + getvariable('repeat_window') <= getvariable('as_of') AS window_complete
    FROM month m
    JOIN targets t ON t.channel = m.channel AND t.priority IS NOT DISTINCT FROM m.priority
    LEFT JOIN minutes opened_in
        ON opened_in.clock = t.clock AND opened_in.minute = m.opened_at // 60000000
    LEFT JOIN minutes replied_in
        ON replied_in.clock = t.clock AND replied_in.minute = m.first_reply_at // 60000000
    LEFT JOIN minutes resolved_in
        ON resolved_in.clock = t.clock AND resolved_in.minute = m.resolved_at // 60000000
    LEFT JOIN dues reply_due
        ON reply_due.due = t.reply_due AND reply_due.minute = m.opened_at // 60000000
    LEFT JOIN dues resolution_due
        ON resolution_due.due = t.resolution_due AND resolution_due.minute = m.opened_at // 60000000
    WHERE m.excluded IS NULL
)
SELECT
    id, channel, topic, response_agent, resolution_agent, in_base, answered,
    answered OR invited AS invited,
    CASE WHEN replied THEN reply_span END AS response_span,
    CASE WHEN resolved THEN resolution_span END AS resolution_span,
    CASE
        WHEN NOT first_reply_known THEN 3
        WHEN NOT in_base THEN 1
        ELSE timed_part(replied, first_reply_at, reply_span, reply_waited, reply_limit, reply_due)
    END AS first_reply_on_time,
    CASE
        WHEN channel NOT IN ('phone', 'chat') THEN NULL
        WHEN NOT first_reply_known THEN 3
        ELSE share_part(NOT in_base)
    END AS abandon_rate,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN NOT resolution_known THEN 3
        ELSE share_part(resolved)
    END AS resolution_rate,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN NOT resolution_known THEN 3
        ELSE timed_part(
            resolved, resolved_at, resolution_span, resolution_waited, resolution_limit,
            resolution_due
        )
    END AS resolution_on_time,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN NOT resolution_known THEN 3
        WHEN NOT window_complete THEN 2
        WHEN reopens IS NULL OR handovers IS NULL OR (resolved AND customer_ref IS NULL) THEN 3
        ELSE share_part(resolved AND reopens = 0 AND handovers = 0 AND NOT is_repeated)
    END AS first_contact_resolution,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN NOT resolution_known THEN 3
        WHEN NOT resolved THEN NULL
        WHEN NOT window_complete THEN 2
        WHEN customer_ref IS NULL THEN 3
        ELSE share_part(is_repeated)
    END AS repeat_contact_rate,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN NOT resolution_known THEN 3
        WHEN NOT resolved THEN NULL
        WHEN reopens IS NULL THEN 3
        ELSE share_part(reopens > 0)
    END AS reopen_rate,
    CASE
        WHEN NOT in_base THEN NULL
        WHEN handovers IS NULL THEN 3
        ELSE share_part(handovers > 0)
    END AS handover_rate,
    CASE WHEN in_base AND answered THEN share_part(csat >= 4) END AS csat
FROM spans;

-- Runs of customers' messages after the first reply.
CREATE OR REPLACE TEMP TABLE runs AS
WITH listed AS (
    SELECT id, channel, priority, topic, response_agent,
        unnest(from_json(next_replies, '[["BIGINT"]]')) AS run
    FROM month
    WHERE excluded IS NULL AND next_replies IS NOT NULL AND getvariable('next_reply_is_measured')
),
spans AS (
    SELECT
        l.*, run[1] AS asked_at, happened(run[2]) AS is_answered, run[2] AS answered_at,
        t.next_limit, next_due.due_at AS next_due,
        CASE WHEN t.next_is_business THEN open_at(answered_in, run[2]) - open_at(asked_in, run[1])
            ELSE run[2] - run[1] END AS span,
        CASE WHEN t.next_is_business THEN t.open_at_as_of - open_at(asked_in, run[1])
            ELSE getvariable('as_of') - run[1] END AS waited
    FROM listed l
    JOIN targets t ON t.channel = l.channel AND t.priority IS NOT DISTINCT FROM l.priority
    LEFT JOIN minutes asked_in
        ON asked_in.clock = t.clock AND asked_in.minute = run[1] // 60000000
    LEFT JOIN minutes answered_in
        ON answered_in.clock = t.clock AND answered_in.minute = run[2] // 60000000
    LEFT JOIN dues next_due
        ON next_due.due = t.next_due AND next_due.minute = run[1] // 60000000
    WHERE happened(run[1])
)
SELECT id, channel, topic, response_agent,
    timed_part(is_answered, answered_at, span, waited, next_limit, next_due) AS next_reply_on_time
FROM spans;

-- All counts by who is credited and by the stratum of case mix; the levels above are sums of these.
CREATE OR REPLACE TEMP TABLE response_strata AS
SELECT
    response_agent AS who, channel, topic,
    counts(first_reply_on_time) AS first_reply_on_time,
    counts(abandon_rate) AS abandon_rate
FROM facts
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE next_reply_strata AS
SELECT
    response_agent AS who, channel, topic,
    counts(next_reply_on_time) AS next_reply_on_time,
    count(DISTINCT id) AS interactions
FROM runs
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE resolution_strata AS
SELECT
    resolution_agent AS who, channel, topic,
    counts(resolution_rate) AS resolution_rate,
    counts(resolution_on_time) AS resolution_on_time,
    counts(first_contact_resolution) AS first_contact_resolution,
    counts(repeat_contact_rate) AS repeat_contact_rate,
    counts(reopen_rate) AS reopen_rate,
    counts(handover_rate) AS handover_rate,
    counts(csat) AS csat,
    count(*) FILTER (in_base AND invited) AS invited,
    count(*) FILTER (in_base AND answered) AS answered
FROM facts
GROUP BY ALL;

-- Figures by agent, and in one more row (is_vendor) over all, what credits nobody included.
CREATE OR REPLACE TEMP TABLE response_figures AS
SELECT
    who, grouping(who) = 1 AS is_vendor,
    total(first_reply_on_time) AS first_reply_on_time,
    total(abandon_rate) AS abandon_rate
FROM response_strata
GROUP BY ROLLUP (who)
HAVING who IS NOT NULL OR is_vendor;

CREATE OR REPLACE TEMP TABLE next_reply_figures AS
SELECT
    who, grouping(who) = 1 AS is_vendor,
    total(next_reply_on_time) AS next_reply_on_time,
    coalesce(sum(interactions), 0)::BIGINT AS interactions
FROM next_reply_strata
GROUP BY ROLLUP (who)
HAVING who IS NOT NULL OR is_vendor;

CREATE OR REPLACE TEMP TABLE resolution_figures AS
SELECT
    who, grouping(who) = 1 AS is_vendor,
    total(resolution_rate) AS resolution_rate,
    total(resolution_on_time) AS resolution_on_time,
    total(first_contact_resolution) AS first_contact_resolution,
    total(repeat_contact_rate) AS repeat_contact_rate,
    total(reopen_rate) AS reopen_rate,
    total(handover_rate) AS handover_rate,
    total(csat) AS csat,
    coalesce(sum(invited), 0)::BIGINT AS invited,
    coalesce(sum(answered), 0)::BIGINT AS answered
FROM resolution_strata
GROUP BY ROLLUP (who)
HAVING who IS NOT NULL OR is_vendor;

-- Interactions of the month, excluded ones too, that each agent is credited with.
CREATE OR REPLACE TEMP TABLE response_months AS
SELECT
    response_agent AS who, grouping(response_agent) = 1 AS is_vendor,
    count(*) AS interactions,
    count(*) FILTER (
        excluded IS NULL AND next_replies IS NULL AND (replied OR NOT first_reply_known)
    ) AS without_events,
    getvariable('next_reply_is_measured') AS runs_are_measured
FROM month
GROUP BY ROLLUP (response_agent)
HAVING who IS NOT NULL OR is_vendor;

CREATE OR REPLACE TEMP TABLE resolution_months AS
SELECT resolution_agent AS who, grouping(resolution_agent) = 1 AS is_vendor, count(*) AS interactions
FROM month
GROUP BY ROLLUP (resolution_agent)
HAVING who IS NOT NULL OR is_vendor;

-- The spans at the ranks that a percentile and its interval need; null or no row: not reached.
CREATE OR REPLACE TEMP TABLE percentiles AS
WITH wanted AS (
    SELECT *
    FROM (
        SELECT 'first_reply' AS span_of, who, is_vendor, first_reply_on_time.denominator AS n
        FROM response_figures
        UNION ALL
        SELECT 'resolution', who, is_vendor, resolution_on_time.denominator
        FROM resolution_figures
    )
    JOIN ranks USING (n)
),
agents AS (
    SELECT 'first_reply' AS span_of, response_agent AS who, list_sort(list(response_span)) AS spans
    FROM facts
    WHERE first_reply_on_time <= 1 AND response_span IS NOT NULL
    GROUP BY response_agent
    UNION ALL
    SELECT 'resolution', resolution_agent, list_sort(list(resolution_span))
    FROM facts
    WHERE resolution_on_time <= 1 AND resolution_span IS NOT NULL
    GROUP BY resolution_agent
),
vendor AS (
    SELECT 'first_reply' AS span_of, response_span AS span,
        row_number() OVER (ORDER BY response_span) AS place
    FROM facts
    WHERE first_reply_on_time <= 1 AND response_span IS NOT NULL
    UNION ALL
    SELECT 'resolution', resolution_span, row_number() OVER (ORDER BY resolution_span)
    FROM facts
    WHERE resolution_on_time <= 1 AND resolution_span IS NOT NULL
)
SELECT who, is_vendor, span_of, quantile, role, spans[place] AS span
FROM wanted JOIN agents USING (span_of, who)
UNION ALL
SELECT NULL, true, span_of, quantile, role, span
FROM wanted JOIN vendor USING (span_of, place)
WHERE is_vendor;

-- How many interactions credit each agent in reply, resolution or both, and on which topics.
CREATE OR REPLACE TEMP TABLE credited AS
SELECT who, topic, count(*) AS interactions
FROM (
    SELECT response_agent AS who, topic FROM facts
    UNION ALL
    SELECT resolution_agent, topic FROM facts
    WHERE in_base AND resolution_agent IS DISTINCT FROM response_agent
)
WHERE who IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE coverage AS
WITH known AS (
    SELECT DISTINCT coalesce(aliases.agent_id, answers.agent_id) AS who, topic
    FROM answers LEFT JOIN aliases ON aliases.alias = answers.agent_id
    WHERE "right"
)
SELECT
    c.who, grouping(c.who) = 1 AS is_vendor,
    count(known.topic) AS numerator,
    count(c.topic) AS denominator,
    coalesce(sum(interactions) FILTER (c.topic IS NULL), 0)::BIGINT AS missing,
    sum(interactions)::BIGINT AS interactions
FROM credited c LEFT JOIN known ON known.who = c.who AND known.topic = c.topic
GROUP BY ROLLUP (c.who);

CREATE OR REPLACE TEMP TABLE volume AS
SELECT
    excluded, count(*) AS interactions,
    count(*) FILTER (
        response_agent IS NULL AND (NOT in_base OR resolution_agent IS NULL)
    ) AS unassigned
FROM month
GROUP BY excluded;

-- The merchant's reviews by agent and share; and how many interactions have one.
CREATE OR REPLACE TEMP TABLE reviewed AS
SELECT m.id, m.resolution_agent AS who, r.share
FROM reviews r
JOIN month m ON m.source_account = r.source_account AND m.interaction_id = r.interaction_id
WHERE m.excluded IS NULL AND m.in_base AND happened(r.reviewed_at);

CREATE OR REPLACE TEMP TABLE review_shares AS
SELECT who, share, count(*) AS reviews FROM reviewed GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE review_figures AS
SELECT
    who, grouping(who) = 1 AS is_vendor, count(*) AS reviews, count(DISTINCT id) AS interactions
FROM reviewed
GROUP BY ROLLUP (who)
HAVING who IS NOT NULL OR is_vendor;

CREATE OR REPLACE TEMP TABLE knowledge_figures AS
SELECT
    who, grouping(who) = 1 AS is_vendor,
    coalesce(sum(earned) FILTER (is_asked), 0)::BIGINT AS earned,
    coalesce(sum(possible) FILTER (is_asked), 0)::BIGINT AS possible,
    count(*) FILTER (is_asked AND passed) AS passed,
    count(*) FILTER (is_asked) AS assigned,
    count(*) FILTER (NOT is_asked) AS excluded
FROM (
    SELECT k.*, NOT excused AND questions > 0 AS is_asked, coalesce(a.agent_id, k.agent_id) AS who
    FROM knowledge k LEFT JOIN aliases a ON a.alias = k.agent_id
)
GROUP BY ROLLUP (who);

"""Seeded random policies, valid and unkind."""

import random

from oracle.clock import WEEKDAYS

CHANNELS = [
    "email",
    "web_form",
    "chat",
    "messaging",
    "phone",
    "sms",
    "social",
    "marketplace",
    "review",
    "bot",
    "other",
]
PRIORITIES = ["low", "normal", "high", "urgent"]
# A full-width tilde sorts before a smiley by code points, and after it by UTF-16 units.
AGENTS = ["007", "7", "an-é", "bình", "\uff5e", "🙂"]

# Two boundaries of every clock change in use lie between one and four in the morning.
DAYS = [
    ["09:00-18:00"],
    ["08:30-12:00", "13:15-17:45"],
    ["00:00-24:00"],
    ["22:00-24:00"],
    ["00:00-02:30", "03:00-06:00", "23:15-24:00"],
    ["01:30-02:15", "02:15-02:45", "02:50-03:10"],
    [],
]
FRACTIONS = {
    "response": {"first_reply_on_time": True, "next_reply_on_time": True, "abandon_rate": False},
    "resolution": {
        "resolution_rate": True,
        "resolution_on_time": True,
        "first_contact_resolution": True,
        "repeat_contact_rate": False,
        "reopen_rate": False,
        "handover_rate": False,
        "csat": True,
        "quality": True,
    },
    "knowledge": {
        "knowledge_score": True,
        "knowledge_pass_rate": True,
        "knowledge_coverage": True,
    },
}
PERCENTILES = {
    "response": ["first_reply_p50", "first_reply_p90"],
    "resolution": ["resolution_p50", "resolution_p90"],
    "knowledge": [],
}
CLOCK_TIMES = ["00:00", "02:30", "09:00", "12:00", "19:00", "23:59"]
SECONDS = [30, 60, 3600, 14_400, 86_400, 172_800, 400_000]


def quoted(texts: list[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def hours(dice: random.Random, table: str, month: str) -> list[str]:
    lines = [f"[hours.{table}]"]
    open_days = [name for name in WEEKDAYS if dice.random() < 0.85]
    lines += [f"{name} = {quoted(dice.choice(DAYS))}" for name in open_days]
    if len(lines) == 1:
        lines.append('wed = ["09:00-18:00"]')
    holidays = sorted({f"{month}-{dice.randint(1, 28):02d}" for _ in range(dice.randint(0, 3))})
    if holidays or dice.random() < 0.5:
        lines.append(f"holidays = {quoted(holidays)}")
    return lines


def no_hours(dice: random.Random, month: str) -> list[str]:
    """Nobody works that month: no day has hours, or every day is a holiday."""
    if dice.random() < 0.5:
        return ["[hours.default]", "wed = []"]
    following = [f"{month}-{day:02d}" for day in range(1, 29)]
    return ["[hours.default]", 'fri = ["09:00-18:00"]', f"holidays = {quoted(following)}"]


def calendar(dice: random.Random, month: str) -> list[str]:
    if dice.random() < 0.1:
        return no_hours(dice, month)
    lines = hours(dice, "default", month)
    for channel in dice.sample(CHANNELS, dice.randint(0, 3)):
        lines += hours(dice, channel, month)
    return lines


def target(dice: random.Random, name: str) -> list[str]:
    clock = f'clock = "{dice.choice(["business", "calendar"])}"'
    if dice.random() < 0.75:
        return [f"[targets.{name}]", f"seconds = {dice.choice(SECONDS)}", clock]
    by_clock = [f"[targets.{name}]", f'reply_by = "{dice.choice(CLOCK_TIMES)}"']
    return by_clock if dice.random() < 0.3 else [*by_clock, clock]


def targets(dice: random.Random, kind: str) -> list[str]:
    lines = target(dice, f"{kind}.default")
    for channel in dice.sample(CHANNELS, dice.randint(0, 5)):
        priorities = dice.sample(PRIORITIES, dice.randint(0, 2))
        if not priorities or dice.random() < 0.8:
            lines += target(dice, f"{kind}.{channel}")
        for priority in priorities:
            lines += target(dice, f"{kind}.{channel}.{priority}")
    return lines


def goal(dice: random.Random, metric: str, low: str, high: str, *, more_is_better: bool) -> str:
    """One line of a dimension; the floor lies above the target where less is better."""
    best, worst = (high, low) if more_is_better else (low, high)
    return f"{metric} = {{ weight = WEIGHT, target = {best}, floor = {worst} }}"


def dimension(dice: random.Random, name: str, weight: str) -> list[str]:
    lines = []
    for metric, more_is_better in FRACTIONS[name].items():
        if dice.random() < 0.7:
            low, high = sorted(dice.sample(range(1001), 2))
            texts = f"{low / 1000:.3f}", f"{high / 1000:.3f}"
            lines.append(goal(dice, metric, *texts, more_is_better=more_is_better))
    for metric in PERCENTILES[name]:
        if dice.random() < 0.7:
            low, high = sorted(dice.sample(SECONDS, 2))
            lines.append(goal(dice, metric, str(low), f"{high}.5", more_is_better=False))
    if not lines:
        metric = next(iter(FRACTIONS[name]))
        lines.append(goal(dice, metric, "0.2", "0.90", more_is_better=True))
    weights = [dice.choice(["0", "1", "12.5", "30", "70"]) for _ in lines]
    weights[0] = dice.choice(["5", "0.75"])
    filled = [line.replace("WEIGHT", own) for line, own in zip(lines, weights, strict=True)]
    return [f"[dimensions.{name}]", f"weight = {weight}", f"[dimensions.{name}.metrics]", *filled]


def random_policy_toml(seed: int, *, effective_from: str = "2025-10") -> str:
    """The text of a valid policy file; holidays fall in its first month."""
    dice = random.Random(f"policy {seed}")
    minimum = f"vendor = {dice.choice([1, 12, 30])}, agent = {dice.choice([1, 4, 10])}"
    lines = [
        f'name = "Random {seed}"',
        f'effective_from = "{effective_from}"',
        f"settling_days = {dice.choice([0, 1, 7, 10])}",
        f"repeat_window_days = {dice.choice([1, 7, 14])}",
        f"short_abandon_seconds = {dice.choice([0, 5, 20])}",
        f"balance = {dice.choice(['true', 'false'])}",
        f"minimum_volume = {{ {minimum}, knowledge = {dice.choice([1, 5, 9])} }}",
        *calendar(dice, effective_from),
    ]
    kinds = ["first_reply", "resolution", *(["next_reply"] if dice.random() < 0.8 else [])]
    for kind in kinds:
        lines += targets(dice, kind)
    weights = dice.choice(
        [("30", "50", "20"), ("1", "0", "0"), ("0.5", "1.25", "0"), ("0", "1", "3")]
    )
    for name, weight in zip(FRACTIONS, weights, strict=True):
        if weight != "0" or dice.random() < 0.6:
            lines += dimension(dice, name, weight)
    return "\n".join(lines) + "\n"

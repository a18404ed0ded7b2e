"""What agents were asked about the merchant's products, and what they answered."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from vendorwatch.db.base import Base, Id, Instant, Json, Name


class Question(Base):
    """One version of a question; editing makes the next version and leaves this one."""

    __tablename__ = "questions"

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    question_id: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    stem: Mapped[str]
    options: Mapped[Json]  # list of texts
    correct: Mapped[Json]  # sorted list of positions in options, from 0
    topic: Mapped[Name]
    product: Mapped[Name | None]
    weight: Mapped[int]
    created_at: Mapped[Instant]


class Check(Base):
    __tablename__ = "checks"

    merchant_id: Mapped[Id] = mapped_column(ForeignKey("merchants.merchant_id"), primary_key=True)
    check_id: Mapped[Name] = mapped_column(primary_key=True)
    title: Mapped[Name]
    pass_mark: Mapped[int]  # per cent
    due_at: Mapped[Instant]
    time_limit_seconds: Mapped[int | None]
    created_at: Mapped[Instant]


class CheckQuestion(Base):
    __tablename__ = "check_questions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["merchant_id", "check_id"], ["checks.merchant_id", "checks.check_id"]
        ),
        ForeignKeyConstraint(
            ["merchant_id", "question_id", "version"],
            ["questions.merchant_id", "questions.question_id", "questions.version"],
        ),
    )

    merchant_id: Mapped[Id] = mapped_column(primary_key=True)
    check_id: Mapped[Name] = mapped_column(primary_key=True)
    question_id: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[int]


class Assignment(Base):
    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["merchant_id", "check_id"], ["checks.merchant_id", "checks.check_id"]
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(
        ForeignKey("engagements.engagement_id"), primary_key=True
    )
    merchant_id: Mapped[Id]
    check_id: Mapped[Name] = mapped_column(primary_key=True)
    agent_id: Mapped[Name] = mapped_column(primary_key=True)
    assigned_at: Mapped[Instant]
    excused: Mapped[str | None]  # the reason; null: not excused


class Attempt(Base):
    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["engagement_id", "check_id", "agent_id"],
            ["assignments.engagement_id", "assignments.check_id", "assignments.agent_id"],
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(primary_key=True)
    check_id: Mapped[Name] = mapped_column(primary_key=True)
    agent_id: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # 1 is the first
    started_at: Mapped[Instant]
    submitted_at: Mapped[Instant | None]


class Answer(Base):
    __tablename__ = "answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["engagement_id", "check_id", "agent_id", "number"],
            [
                "attempts.engagement_id",
                "attempts.check_id",
                "attempts.agent_id",
                "attempts.number",
            ],
        ),
    )

    engagement_id: Mapped[Id] = mapped_column(primary_key=True)
    check_id: Mapped[Name] = mapped_column(primary_key=True)
    agent_id: Mapped[Name] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[Name] = mapped_column(primary_key=True)
    chosen: Mapped[Json]  # sorted list of positions in options, from 0
    answered_at: Mapped[Instant | None]


class QuestionWithdrawal(Base):
    """A person found the key wrong: this version counts for nobody any more."""

    __tablename__ = "question_withdrawals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["merchant_id", "question_id", "version"],
            ["questions.merchant_id", "questions.question_id", "questions.version"],
        ),
    )

    merchant_id: Mapped[Id] = mapped_column(primary_key=True)
    question_id: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    withdrawn_at: Mapped[Instant]

"""`/v1/rubrics` and `/v1/quality-reviews`."""

from vendorwatch.quality.api.reviews import get_review, list_reviews, post_reviews, withdraw_review
from vendorwatch.quality.api.rubrics import get_rubric, list_rubrics, put_rubric

HANDLERS = (
    put_rubric,
    list_rubrics,
    get_rubric,
    post_reviews,
    list_reviews,
    get_review,
    withdraw_review,
)

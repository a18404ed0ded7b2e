"""Uploads, interactions, rejects and mappings in the database."""

from vendorwatch.interactions.store.mapping_versions import (
    insert_mapping,
    mapping,
    mappings,
    newest_mapping,
)
from vendorwatch.interactions.store.received import (
    BRIEF,
    LASTING,
    all_revisions,
    any_opened,
    in_force,
    insert_upload,
    lock_engagement,
    newest_upload_at,
    received_since,
    rejects,
    rejects_by_upload,
    revisions,
    upload,
    upload_by_key_or_content,
    upload_by_key_or_place,
    uploads,
)

__all__ = [
    "BRIEF",
    "LASTING",
    "all_revisions",
    "any_opened",
    "in_force",
    "insert_mapping",
    "insert_upload",
    "lock_engagement",
    "mapping",
    "mappings",
    "newest_mapping",
    "newest_upload_at",
    "received_since",
    "rejects",
    "rejects_by_upload",
    "revisions",
    "upload",
    "upload_by_key_or_content",
    "upload_by_key_or_place",
    "uploads",
]

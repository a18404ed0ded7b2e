"""`/v1/uploads`, `/v1/interactions`, `/v1/mappings` and `/v1/limits`."""

from vendorwatch.interactions.api.interactions import get_interaction, list_interactions
from vendorwatch.interactions.api.mappings import create_mapping, get_mapping, list_mappings
from vendorwatch.interactions.api.receive import create_upload, get_limits
from vendorwatch.interactions.api.uploads import get_rejects, get_source, get_upload, list_uploads

HANDLERS = (
    create_upload,
    list_uploads,
    get_upload,
    get_rejects,
    get_source,
    get_limits,
    list_interactions,
    get_interaction,
    create_mapping,
    list_mappings,
    get_mapping,
)

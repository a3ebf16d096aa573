"""Native CDEvents: what already speaks the vocabulary passes through with its own id and source.

Accepted are CDEvents 0.1 to 0.5.1 and custom events of any tool. Older ones are upgraded; what 0.5.1 refuses
or cannot express is Unmapped with the schema's reason (docs/cdevents.md).
"""

from schemas.catalog import Catalog
from schemas.cdevents.native import draft_of, read_native
from schemas.cdevents.versions import CUSTOM, OFFICIAL
from schemas.cloudevents.event import CloudEvent
from streams.outcome import Mapped, Outcome
from streams.source import Source

source = Source("cdevents", prefixes=(OFFICIAL, CUSTOM))


@source.on("*")
def native_cdevent(event: CloudEvent, _: Catalog) -> Outcome:
    """A CDEvent that somebody sent."""
    return Mapped(draft_of(read_native(event)))

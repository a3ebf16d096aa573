"""What is wrong with dead letters that no redrive can help."""

CONFLICT = "conflict: an event with this source and id is stored already, with other data"
FOREIGN = (
    "written to the cdevents topic by another program; send CDEvents to POST /cdevents or the input topic"
)


def hopeless(stage: str, reason: str) -> str | None:
    """Why a redrive could never succeed; ``None`` where it may."""
    if reason == CONFLICT:
        return (
            "its source and id belong to another event, which was stored first; send it under another id, "
            "or drop it"
        )
    if stage == "record" and reason == FOREIGN:
        return "another program wrote it to the cdevents topic; let that send to POST /cdevents, or drop it"
    return None

"""Which events correct what others have told, instead of telling what happened.

The ingress takes them from callers with the right to correct only (docs/ingress.md, "Who may send what").
"""

OURS = "dev.dora."
REPORTS = "dev.dora.report."
# The CDEvent that a correction becomes can be sent as well.
AS_CDEVENT = "dev.cdeventsx.dora-attribution."


def is_correction(type_: str) -> bool:
    """Whether an event of this type is a correction: all of our own types, but for reports.

    A type that is added later is one until somebody says otherwise here.
    """
    return type_.startswith((OURS, AS_CDEVENT)) and not type_.startswith(REPORTS)

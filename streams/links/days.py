"""What the links of each day amount to; the rows of ``link_days``. Pure.

An answer over many days reads these instead of every deployment and change. Counts of days can be summed, and
percentiles cannot, so that a day keeps every duration (``schemas/packed.py``).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas.packed import pack
from streams.links.history import Attribution, DeployedChange, LinkDay


def days_of(
    place: tuple[str, str],
    attributions: Iterable[Attribution],
    changes: Iterable[DeployedChange],
    waiting: Iterable[datetime] = (),
) -> list[LinkDay]:
    """The days of a service and environment on which anything happened, in order.

    ``waiting`` are the days of the commits that are not deployed, one for each.
    """
    together: defaultdict[datetime, list[Attribution]] = defaultdict(list)
    for each in attributions:
        if each.day is not None:
            together[each.day].append(each)
    brought: defaultdict[str, list[DeployedChange]] = defaultdict(list)
    for change in changes:
        brought[change.deploy_id].append(change)
    undeployed = Counter(waiting)
    found = []
    for day in sorted(together.keys() | undeployed.keys()):
        links = together.get(day, [])
        of_links = [change for each in links for change in brought[each.deploy_id]]
        found.append(_day((*place, day), links, of_links, undeployed[day]))
    return found


def _day(
    key: tuple[str, str, datetime],
    links: Sequence[Attribution],
    changes: Sequence[DeployedChange],
    undeployed: int,
) -> LinkDay:
    counted = [each for each in links if each.role == "counted"]
    failed = [each for each in counted if each.failure_rule is not None]
    return LinkDay(
        *key,
        deployments=len(links),
        counted=len(counted),
        failed=len(failed),
        unrecovered=sum(each.recovery_seconds is None for each in failed),
        unplanned=sum(each.rework_rule is not None for each in links),
        linked=sum(each.linked for each in counted),
        lead_times=packed(change.lead_seconds for change in changes),
        merge_times=packed(change.merge_seconds for change in changes),
        recovery_times=packed(each.recovery_seconds for each in failed),
        undeployed=undeployed,
    )


def packed(seconds: Iterable[float | None]) -> bytes:
    """Those durations that there are."""
    return pack(each for each in seconds if each is not None)

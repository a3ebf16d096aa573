"""Argo CD: Applications, as its notifications post them (`POST /webhooks/argocd`).

A Knative ApiServerSource that watches Applications tells the same; the source `kubernetes` passes that on to
here. An Application is told of many times, in any order, so this source is stateful: a handler says what one
message shows, ``fold`` what that changes. What counts and why: docs/sources/argocd.md.
Spec: argoproj/argo-cd, pkg/apis/application/v1alpha1.
"""

from schemas.catalog import Catalog
from schemas.cloudevents.event import CloudEvent
from streams.argocd.application import look_at_application
from streams.argocd.reports import State, fold_application
from streams.fields import Fields
from streams.outcome import Observed, Outcome, Settled, Unmapped
from streams.source import Source

source = Source("argocd", prefixes=("io.argoproj.",))

NO_APPLICATION = (
    "the notification has no Application: let its template send one, as docs/sources/argocd.md shows"
)


@source.on("application")
def application(event: CloudEvent, catalog: Catalog) -> Outcome:
    """An Application, itself or under ``app``, as a template of Argo CD's notifications sends it."""
    told = Fields(event.data)
    if told.find("app.metadata") is not None:
        told = told.within("app")
    if told.find("metadata.name") is None:
        return Unmapped(NO_APPLICATION)
    return look_at_application(event, told, catalog, deleted=False)


@source.folds
def fold(state: State | None, observation: Observed, _: Catalog) -> tuple[State, Settled]:
    """Add one look to what is known of its Application, and report what that changes."""
    return fold_application(state, observation)

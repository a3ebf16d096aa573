"""GitLab's web hooks: of projects, of groups, and the system hooks of an instance.

Authentic is what carries the hook's secret token, or is signed by its signing token (docs.gitlab.com,
"Webhooks"). Attributes follow the CloudEvents GitLab adapter; what it does not name follows the same pattern.
One thing differs: the adapter asks for a new id, and ours is the delivery's, so that a redelivery is a
duplicate.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingress.webhooks import standard_webhooks
from ingress.webhooks.payload import at, event_of, object_of
from ingress.webhooks.provider import Provider, Unauthenticated, WebhookRequest, matches_any
from schemas.cloudevents.attributes import LONGEST_INDEXED
from schemas.cloudevents.event import CloudEvent, InvalidCloudEvent
from schemas.cloudevents.syntax import is_text, is_uri_reference

# What tells deliveries apart, the best first. The first two are the same over retries and "Resend"; older
# versions of GitLab send neither. X-Gitlab-Webhook-UUID is new at each attempt, and of no use.
DELIVERY = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
SOURCES = ("repository.homepage", "project.web_url")
NOWHERE = "/gitlab"
WORD = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
OPAQUE = re.compile(r"[!-~]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a kind of payload tells the end of its type, its subject and its time: dotted paths.

    Without a time the event happened when it was received, as the adapter has it ("Current time").
    """

    ending: str = ""
    subject: str = ""
    time: str = ""


RULES: Mapping[str, Rule] = {
    "push": Rule(subject="checkout_sha"),
    "tag_push": Rule(subject="ref"),
    "issue": Rule("object_attributes.state", "object_attributes.iid"),
    "note": Rule("object_attributes.noteable_type", "object_attributes.id", "object_attributes.created_at"),
    "merge_request": Rule(
        "object_attributes.action", "object_attributes.iid", "object_attributes.created_at"
    ),
    "wiki_page": Rule("object_attributes.action", "object_attributes.slug"),
    "pipeline": Rule("object_attributes.status", "object_attributes.id"),
    "job": Rule("build_status", "build_id"),
    # Not in the adapter.
    "work_item": Rule("object_attributes.state", "object_attributes.iid"),
    "deployment": Rule("status", "deployment_id"),
    "release": Rule("action", "tag"),
    "milestone": Rule("action", "object_attributes.iid"),
    "emoji": Rule("object_attributes.action", "object_attributes.id"),
    "feature_flag": Rule("", "object_attributes.id"),
    "vulnerability": Rule("object_attributes.state"),
}


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By signature where one of ``secrets`` is a signing token (``whsec_...``), else by the secret token.

    A request that is signed has to be signed right; a secret token that it carries as well does not save it.
    """
    signing = [secret for secret in secrets if secret.startswith(standard_webhooks.SECRET_PREFIX)]
    if signing and "webhook-signature" in request.headers:
        standard_webhooks.verify(request, signing)
        return
    told = request.headers.get("x-gitlab-token", "")
    if not told:
        raise Unauthenticated("missing")
    try:
        given = told.encode("latin-1")  # the bytes that were sent
    except UnicodeEncodeError:
        raise Unauthenticated("malformed") from None
    words = [secret for secret in secrets if not secret.startswith(standard_webhooks.SECRET_PREFIX)]
    if not matches_any(given, [word for word in words if word.strip()]):
        raise Unauthenticated("mismatch")


def translate(request: WebhookRequest) -> CloudEvent:
    """``com.gitlab.<kind>[.<action, state or status>]``, with the body as it was sent."""
    told = object_of(request.body)
    kind = _kind(told, request)
    rule = RULES.get(kind, Rule())
    return event_of(
        request,
        type_=".".join(("com.gitlab", kind, *_ending(told, rule))),
        source=_source(told, kind, request),
        id_=_delivery(request),
        subject=_text(_at(told, rule.subject)),
        time=_at(told, rule.time),
    )


provider = Provider("gitlab", authenticate, translate)


def _kind(told: Mapping[str, Any], request: WebhookRequest) -> str:
    """Tell what the payload is of; with a custom template it may not say, and the header does."""
    header = request.headers.get("x-gitlab-event", "").removesuffix(" Hook").replace(" ", "_").lower()
    words = (told.get("object_kind"), told.get("event_name"), header)
    kind = next((word for word in words if isinstance(word, str) and WORD.fullmatch(word)), None)
    if kind is None:
        raise InvalidCloudEvent("neither object_kind, event_name nor X-Gitlab-Event says what happened")
    return "job" if kind == "build" else kind


def _delivery(request: WebhookRequest) -> str | None:
    told = (request.headers.get(name, "") for name in DELIVERY)
    return next((identity for identity in told if OPAQUE.fullmatch(identity)), None)


def _source(told: Mapping[str, Any], kind: str, request: WebhookRequest) -> str:
    candidates = (
        *(_noted(told) if kind == "note" else ()),
        *(at(told, path) for path in SOURCES),
        request.headers.get("x-gitlab-instance"),
    )
    return next((candidate for candidate in candidates if _is_source(candidate)), NOWHERE)


def _noted(told: Mapping[str, Any]) -> Iterator[Any]:
    """Tell where the commented thing is; the adapter takes this for the source of a comment."""
    if at(told, "object_attributes.noteable_type") == "Commit":
        yield at(told, "commit.url")
    url = at(told, "object_attributes.url")
    yield url.partition("#")[0] if isinstance(url, str) else None


def _is_source(candidate: Any) -> bool:
    if not isinstance(candidate, str) or not 0 < len(candidate) <= LONGEST_INDEXED:
        return False
    return is_uri_reference(candidate)


def _ending(told: Mapping[str, Any], rule: Rule) -> Iterator[str]:
    word = _at(told, rule.ending)
    if isinstance(word, str) and len(word) < LONGEST_INDEXED:
        snake = CAMEL.sub("_", word).lower()  # of noteable_type: MergeRequest
        if WORD.fullmatch(snake):
            yield snake


def _text(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= LONGEST_INDEXED and is_text(text) else None


def _at(told: Mapping[str, Any], path: str) -> Any:
    return at(told, path) if path else None

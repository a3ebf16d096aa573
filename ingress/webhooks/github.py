"""GitHub's web hooks: of repositories, organizations and apps, of github.com and of an Enterprise Server.

Authentic is what carries ``X-Hub-Signature-256``, the HMAC-SHA256 of the bytes that were sent
(docs.github.com, "Validating webhook deliveries"); the SHA-1 beside it counts for nothing. Attributes follow
the CloudEvents GitHub adapter; events that are newer than it follow the same pattern.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from ingress.webhooks.payload import object_of
from ingress.webhooks.provider import FORM, Provider, Unauthenticated, WebhookRequest, matches_any
from schemas.cloudevents.attributes import LONGEST_INDEXED, check
from schemas.cloudevents.event import Attribute, CloudEvent, InvalidCloudEvent
from schemas.cloudevents.syntax import is_text, is_uri_reference
from schemas.instant import format_instant, instant_text

Json = Mapping[str, Any]

SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)
EVENT = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}", re.ASCII)
DELIVERY = re.compile(r"[!-~]{1,255}", re.ASCII)

ACTION = ("action",)
REPOSITORY = ("repository.url",)
# Where an event says that it is from, if its own place is not there: the first of these that is.
SOURCES = (*REPOSITORY, "organization.url", "installation.account.url", "sender.url")
NOWHERE = "https://github.com"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where an event's attributes stand in its payload, by dotted path.

    ``ending`` are the words after the event's name; ``source`` and ``time`` the places to look, best first.
    Without a time the event happened when it was received, as the adapter has it ("current time").
    """

    subject: str = ""
    time: tuple[str, ...] = ()
    ending: tuple[str, ...] = ACTION
    source: tuple[str, ...] = REPOSITORY
    name: str = ""


OWNER = ("repository.owner.url",)
CHANGE = ("pull_request.url",)
ACCOUNT = ("installation.account.url",)

# adapters/github.md of CloudEvents 1.0.2, section by section.
RULES: Mapping[str, Rule] = {
    "check_run": Rule("check_run.id", ("check_run.completed_at", "check_run.started_at")),
    "check_suite": Rule("check_suite.id", ("check_suite.updated_at",)),
    "commit_comment": Rule("comment.id", ("comment.updated_at",), source=("comment.url/comment.commit_id",)),
    "content_reference": Rule("content_reference.id"),
    "create": Rule("ref", ending=("ref_type",)),
    "delete": Rule("ref", ending=("ref_type",)),
    "deploy_key": Rule("key.id", ("key.deleted_at", "key.created_at")),
    "deployment": Rule("deployment.id", ("deployment.updated_at",), ending=()),
    "deployment_status": Rule(
        "deployment_status.url",
        ("deployment_status.updated_at",),
        ending=("deployment_status.state",),
        source=("deployment.url",),
    ),
    "fork": Rule("forkee.url", ("forkee.created_at",), ending=()),
    "github_app_authorization": Rule(ending=(), source=("sender.url",)),
    "gollum": Rule("pages.page_name", ending=("pages.action",)),
    "installation": Rule("installation.id", ("installation.updated_at",), source=ACCOUNT),
    "installation_repositories": Rule(
        "installation.id",
        ("installation.updated_at",),
        source=ACCOUNT,
        name="installation_repository",
    ),
    "issue_comment": Rule("comment.id", ("comment.updated_at",), source=("issue.url",)),
    "issues": Rule("issue.number", ("issue.updated_at",), name="issue"),
    "label": Rule("label.name"),
    "marketplace_purchase": Rule(
        "marketplace_purchase.account.login", ("effective_date",), source=("sender.url/..",)
    ),
    "member": Rule("member.login"),
    "membership": Rule("member.login", ending=("scope", "action"), source=("team.url",)),
    "meta": Rule("hook_id", ("hook.updated_at",)),
    "milestone": Rule("milestone.number", ("milestone.updated_at",)),
    "organization": Rule("membership.user.login", source=("organization.url",)),
    "org_block": Rule("blocked_user.login", source=("organization.url",)),
    "page_build": Rule("build.url", ("pusher.updated_at",), ending=()),
    "project_card": Rule("project_card.id", ("project_card.updated_at",)),
    "project_column": Rule("project_column.id", ("project_column.updated_at",)),
    "project": Rule("project.id", ("project.updated_at",)),
    "public": Rule("repository.name", ("repository.updated_at",), ending=(), source=OWNER),
    "pull_request": Rule("number", ("pull_request.updated_at",)),
    "pull_request_review": Rule("review.id", ("review.submitted_at",), source=CHANGE),
    "pull_request_review_comment": Rule("comment.id", ("pull_request.updated_at",), source=CHANGE),
    "push": Rule("ref", ending=()),
    "registry_package": Rule("registry_package.html_url", ("registry_package.updated_at",)),
    "release": Rule("release.id"),
    "repository": Rule("repository.name", ("repository.updated_at",), source=OWNER),
    "repository_import": Rule("repository.name", ("repository.updated_at",), ending=(), source=OWNER),
    "repository_vulnerability_alert": Rule("alert.id"),
    "security_advisory": Rule("security_advisory.ghsa_id", ("security_advisory.updated_at",), source=()),
    "star": Rule(time=("starred_at",)),
    "status": Rule("sha", ("updated_at",), ending=("state",)),
    "team": Rule("team.id", ("updated_at",)),
    "team_add": Rule("team.id"),
    "watch": Rule(),
}
ADVISORIES = "github.com"  # the adapter's word for where a security advisory is from


def authenticate(request: WebhookRequest, secrets: Sequence[bytes]) -> None:
    """By the HMAC-SHA256 of the raw body with one of ``secrets``."""
    told = request.headers.get("x-hub-signature-256")
    if told is None:
        raise Unauthenticated("missing")
    signature = SIGNATURE.fullmatch(told)
    if signature is None:
        raise Unauthenticated("malformed")
    given = bytes.fromhex(signature[1])
    if not matches_any(given, [hmac.digest(key, request.body, hashlib.sha256) for key in secrets if key]):
        raise Unauthenticated("mismatch")


def translate(request: WebhookRequest) -> CloudEvent:
    """``com.github.<event>[.<action>]``; the data is the JSON as it was sent, also out of a form.

    Raises ``InvalidCloudEvent`` without ``X-GitHub-Event``, and for a body that holds no JSON object.
    """
    event = request.headers.get("x-github-event", "")
    if EVENT.fullmatch(event) is None:
        raise InvalidCloudEvent("X-GitHub-Event does not say what happened; is this sent by GitHub?")
    body = _out_of_form(request.body) if _is_form(request) else request.body
    told = object_of(body)
    rule = RULES.get(event) or _newer(event)
    attributes: dict[str, Attribute] = {
        "specversion": "1.0",
        "id": _identity(request),
        "source": ADVISORIES if event == "security_advisory" else _source(told, rule),
        "type": ".".join(("com.github", rule.name or event, *_ending(told, rule))),
        "datacontenttype": "application/json",
        "time": _time(told, _times(event, told, rule), request),
    }
    subject = _subject(told, rule)
    if subject is not None:
        attributes["subject"] = subject
    check(attributes)
    return CloudEvent(attributes, body)


# A hook sends forms unless application/json is chosen for it.
provider = Provider("github", authenticate, translate, forms=True)


def _identity(request: WebhookRequest) -> str:
    """The delivery's id, which a redelivery repeats."""
    delivery = request.headers.get("x-github-delivery", "")
    return delivery if DELIVERY.fullmatch(delivery) else hashlib.sha256(request.body).hexdigest()


def _newer(event: str) -> Rule:
    """An event that the adapter does not know: what it is about stands under its own name."""
    return Rule(f"{event}.id", (f"{event}.updated_at", f"{event}.created_at"))


def _is_form(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def _out_of_form(body: bytes) -> bytes:
    try:
        (payload,) = parse_qs(body, strict_parsing=True, max_num_fields=4)[b"payload"]
    except (ValueError, KeyError):
        raise InvalidCloudEvent("the form has no field 'payload', as GitHub sends it") from None
    return payload


def _source(told: Json, rule: Rule) -> str:
    fitting = (
        candidate
        for path in (*rule.source, *SOURCES)
        if (candidate := _joined(told, path)) is not None and is_uri_reference(candidate)
    )
    return next(fitting, NOWHERE)


def _joined(told: Json, path: str) -> str | None:
    """The texts at ``path`` and after its slash, as one; ``/..`` is the folder of the first."""
    first, slash, second = path.partition("/")
    text = _text(_at(told, first))
    if text is None or not slash:
        return text
    if second == "..":
        return text.rpartition("/")[0] or None
    more = _text(_at(told, second))
    return None if more is None else _text(f"{text}/{more}")


def _ending(told: Json, rule: Rule) -> Iterator[str]:
    for path in rule.ending:
        word = _at(told, path)
        if isinstance(word, str) and WORD.fullmatch(word):
            yield word


def _subject(told: Json, rule: Rule) -> str | None:
    return _text(_at(told, rule.subject)) if rule.subject else None


def _times(event: str, told: Json, rule: Rule) -> tuple[str, ...]:
    """The time of a release stands under its action: ``release.published_at``."""
    return (f"release.{told.get('action')}_at",) if event == "release" else rule.time


def _time(told: Json, paths: tuple[str, ...], request: WebhookRequest) -> str:
    for path in paths:
        try:
            return instant_text(_at(told, path))
        except ValueError:
            continue
    return format_instant(datetime.fromtimestamp(request.received, UTC))


def _text(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= LONGEST_INDEXED and is_text(text) else None


def _at(told: Json, path: str) -> Any:
    """What stands at ``path``, in the first item of a list on the way; ``None`` where nothing does."""
    value: Any = told
    for name in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        value = value.get(name) if isinstance(value, dict) else None
    return value

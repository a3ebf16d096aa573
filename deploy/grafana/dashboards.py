"""The dashboards. ``python -m deploy.grafana.dashboards`` writes them; a test says when that was forgotten.

The compose file and the chart each have a copy. Definitions are those of docs/metrics.md. The REST API judges
(classes, zero-filled buckets, coverage); a dashboard shows rows.
"""

import json
from pathlib import Path
from typing import Any

from deploy.grafana.panels import choice, curves, dashboard, number, promql, sql, table

HERE = Path(__file__).parent
TARGETS = (HERE / "dashboards", HERE.parent / "helm" / "dora-events" / "files")

ENVIRONMENTS = choice("environment", "SELECT DISTINCT environment FROM deployments ORDER BY 1")
SERVICES = choice("service", "SELECT DISTINCT service FROM deployments ORDER BY 1")


def overview() -> dict[str, Any]:
    """The five metrics, and which services they come from."""
    return dashboard(
        "dora-overview",
        "DORA overview",
        [
            number(
                "Deployment frequency",
                sql("deployments_per_day"),
                "none",
                "Counted deployments for each day.",
                5,
            ),
            number(
                "Change lead time",
                sql("median_lead_time"),
                "s",
                "Median, from commit to first deployment.",
                5,
            ),
            number(
                "Change failure rate",
                sql("failure_rate"),
                "percentunit",
                "Failed of all counted deployments.",
                5,
            ),
            number(
                "Recovery time",
                sql("median_recovery"),
                "s",
                "Median, from a failed deployment to recovery.",
                5,
            ),
            number(
                "Rework rate",
                sql("rework_rate"),
                "percentunit",
                "Rollbacks and unplanned deployments, of all.",
            ),
            curves("Deployments a week", sql("weeks", over_time=True), "none", "By service.", 24),
            table("Services", sql("services"), "Counted deployments in the time chosen."),
        ],
        [ENVIRONMENTS, SERVICES],
    )


def service() -> dict[str, Any]:
    """One service: its deployments, with the reason why each counts, and its incidents."""
    return dashboard(
        "dora-service",
        "DORA by service",
        [
            curves("Deployments a day", sql("days", over_time=True), "none", "Days of the tables' own zone."),
            curves(
                "Change lead time", sql("lead_times", over_time=True), "s", "Each change, at its deployment."
            ),
            table("Deployments", sql("deployments"), "The newest 500, those that do not count included."),
            table("Incidents", sql("incidents"), "The newest 200."),
        ],
        [ENVIRONMENTS, SERVICES],
    )


def pipeline() -> dict[str, Any]:
    """Whether events come in, get through, and become visible in time."""
    age = (
        "histogram_quantile(0.9, sum by (le, stage) (rate(dora_event_age_seconds_bucket[$__rate_interval])))"
    )
    spent = "histogram_quantile(0.9, sum by (le, stage) (rate(dora_stage_seconds_bucket[$__rate_interval])))"
    asked = (
        "histogram_quantile(0.9, sum by (le, route)"
        " (rate(dora_query_request_seconds_bucket[$__rate_interval])))"
    )
    published = (
        "histogram_quantile(0.9, sum by (le) (rate(dora_ingress_publish_seconds_bucket[$__rate_interval])))"
    )
    refused = "sum by (reason) (rate(dora_ingress_requests_refused_total[$__rate_interval]))"
    return dashboard(
        "dora-pipeline",
        "DORA pipeline",
        [
            curves(
                "Lag",
                promql("sum by (topic) (dora_lag_records)", "{{topic}}"),
                "none",
                "Records not finished.",
            ),
            curves("Freshness", promql(age, "{{stage}}"), "s", "Arrival to stored effect, 90th percentile."),
            curves(
                "Events",
                promql(
                    "sum by (fate, rule) (rate(dora_events_total[$__rate_interval]))", "{{fate}} {{rule}}"
                ),
                "ops",
                "By what became of them.",
            ),
            curves(
                "CDEvents",
                promql("sum by (type) (rate(dora_cdevents_total[$__rate_interval]))", "{{type}}"),
                "ops",
                "Published.",
            ),
            curves(
                "Accepted",
                promql(
                    "sum by (mode) (rate(dora_ingress_events_accepted_total[$__rate_interval]))", "{{mode}}"
                ),
                "ops",
                "Events that Kafka confirmed.",
            ),
            curves("Refused", promql(refused, "{{reason}}"), "ops", "Requests to the ingress, by problem."),
            curves("Confirmation", promql(published, "Kafka"), "s", "Until Kafka confirms, 90th percentile."),
            curves("Stages", promql(spent, "{{stage}}"), "s", "A batch, 90th percentile."),
            curves(
                "Waiting for PostgreSQL",
                promql("max by (stage) (dora_stage_waiting)", "{{stage}}"),
                "none",
                "1 while a stage waits.",
            ),
            curves(
                "Dead letters",
                promql("sum by (stage) (increase(dora_dead_letters_total[$__rate_interval]))", "{{stage}}"),
                "none",
                "Records given up on.",
            ),
            curves("Answers", promql(asked, "{{route}}"), "s", "Time of the query API, 90th percentile."),
            curves("Processes", promql("sum by (job) (up)", "{{job}}"), "none", "That answer Prometheus."),
            table("Open dead letters", sql("dead_letters"), "By stage and reason."),
            table("Events that no source understands", sql("not_mapped"), "By type and reason."),
        ],
        since="now-6h",
    )


def files() -> dict[str, str]:
    """The dashboards as files: name → text."""
    made = (overview(), service(), pipeline())
    return {f"{each['uid']}.json": json.dumps(each, indent=1) + "\n" for each in made}


def main() -> None:
    """Write them."""
    for name, text in files().items():
        for folder in TARGETS:
            (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

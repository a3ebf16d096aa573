"""Ways to use the chart, each a set of values."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANAGED_KAFKA: dict[str, Any] = {
    "bootstrapServers": "broker.example.com:9092",
    "peers": [{"ipBlock": {"cidr": "10.20.0.0/24"}}],
}
MANAGED_POSTGRES: dict[str, Any] = {
    "existingSecret": "dora-postgres",
    "peers": [{"ipBlock": {"cidr": "10.30.0.7/32"}}],
}
VALUES: dict[str, dict[str, Any]] = {
    "trying out": {},
    "managed stores": {"kafka": MANAGED_KAFKA, "postgres": MANAGED_POSTGRES, "replicationFactor": 3},
    "managed Kafka alone": {"kafka": MANAGED_KAFKA},
    "managed PostgreSQL alone, with its certificate": {"postgres": {**MANAGED_POSTGRES, "caSecret": "ca"}},
    "Kafka with passwords": {
        "kafka": {
            **MANAGED_KAFKA,
            "port": 9093,
            "security": "SASL_SSL",
            "caSecret": "kafka-ca",
            **{who: {"secret": f"kafka-{who}"} for who in ("ingress", "worker", "operator")},
        },
        "postgres": {**MANAGED_POSTGRES, "caSecret": "ca"},
        "scheduled": {"topics": {"schedule": "@daily", "command": ["topics"]}},
    },
    "Kafka with certificates": {
        "kafka": {
            **MANAGED_KAFKA,
            "security": "SSL",
            **{who: {"secret": f"kafka-{who}"} for who in ("ingress", "worker", "operator")},
        },
    },
    "Kafka with TLS alone": {"kafka": {**MANAGED_KAFKA, "security": "SSL", "caSecret": "kafka-ca"}},
    "small": {
        "ingress": {"replicas": 1},
        "worker": {"replicas": 1},
        "query": {"replicas": 1},
        "partitions": 1,
    },
    "scaled by processor": {
        "worker": {"autoscaling": {"kind": "hpa"}},
        "query": {"autoscaling": {"enabled": True}},
    },
    "scaled by lag": {"worker": {"autoscaling": {"kind": "keda", "prometheus": "http://prometheus:9090"}}},
    "watched": {"monitoring": {"serviceMonitor": True, "rules": True, "dashboards": True}},
    "reached from outside": {
        "ingress": {
            "open": False,
            "secret": "dora-ingress",
            "settings": {"DORA_INGRESS_TOKENS_FILE": "/etc/dora-ingress/tokens"},
            "http": {"enabled": True, "host": "events.example.com", "tlsSecret": "tls"},
        },
        "query": {
            "open": False,
            "settings": {"DORA_QUERY_AUTH": "keys"},
            "http": {"enabled": True, "host": "dora.example.com"},
        },
    },
    "with functions and files": {
        "catalog": "services:\n  checkout: {team: shop}\n",
        "routes": "routes:\n  com.example: ['http://f.functions.svc']\n",
        "worker": {
            "egress": [{"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 80}]}]
        },
    },
    "nothing at set times, no corrections": {"check": {"enabled": False}, "query": {"corrections": False}},
    "without network policies": {
        "networkPolicy": {"enabled": False},
        "kafka": {"bootstrapServers": "broker:9092"},
        "postgres": {"existingSecret": "dora-postgres"},
    },
    "everything": yaml.safe_load(
        (ROOT / "deploy" / "helm" / "dora-events" / "ci" / "everything-values.yaml").read_text()
    ),
}

"""Workloads of a Kubernetes cluster: what was seen of their rollouts. ``transformers.kubernetes`` uses it."""

"""Argo CD: what an Application shows of its syncs and its health. ``transformers.argocd`` uses it."""

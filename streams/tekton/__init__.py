"""Runs of Tekton: what one shows, has made and deploys. Pure; ``transformers.tekton`` uses it."""

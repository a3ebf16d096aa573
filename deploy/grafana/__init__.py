"""Grafana: dashboards made by code, and what a Grafana is provisioned with."""

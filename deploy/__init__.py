"""Every way to run it: the dora command, the embedded parts, compose, Helm, Knative, Grafana."""

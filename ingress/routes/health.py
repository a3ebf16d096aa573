"""``/healthz``, ``/readyz``, ``/metrics``: whether it lives, whether it takes events, what it has counted."""

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from ingress.metrics import Metrics
from ingress.problems import UNAVAILABLE, documented, retry
from ingress.publisher import Publisher


def add_routes(app: FastAPI, publisher: Publisher, metrics: Metrics) -> None:
    """The endpoints for those who operate the ingress."""

    @app.get("/healthz", tags=["operation"], response_class=JSONResponse)
    async def healthz() -> Response:
        """The process answers. Kafka has no part in this: a restart would not bring it back."""
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", tags=["operation"], response_class=JSONResponse, responses=documented(UNAVAILABLE))
    async def readyz() -> Response:
        """Kafka answers and has the topic, and the process is not about to end."""
        trouble = "the ingress is stopping" if app.state.draining else publisher.trouble()
        if trouble is not None:
            raise retry(UNAVAILABLE, trouble, 2)
        return JSONResponse({"status": "ready"})

    @app.get(
        "/metrics",
        tags=["operation"],
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    async def metrics_page() -> Response:
        """What the process has counted, for Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

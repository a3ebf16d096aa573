# One image for every process: `dora ingress`, `dora worker`, `dora query`, `dora migrate`, `dora topics`.
#
# The base is given as tag and digest. The tag stands here; a release adds the digest of the day, so that what was
# tested is what is built again (docs/deploying.md, "The image"):
#   docker build --build-arg PYTHON_DIGEST=sha256:... .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
ARG PYTHON_DIGEST=

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS base

FROM base AS build
WORKDIR /build
# The same installer from the same locks as ./dora, in an environment that is left behind.
COPY requirements-bootstrap.lock requirements.lock ./
RUN python3 -m venv installer \
 && installer/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r requirements-bootstrap.lock \
 && python3 -m venv --without-pip /opt/dora \
 && installer/bin/uv pip install --python /opt/dora/bin/python --no-cache --link-mode copy --require-hashes \
    -r requirements.lock
COPY LICENSE /opt/dora/
COPY schemas /opt/dora/app/schemas
COPY access /opt/dora/app/access
COPY ingress /opt/dora/app/ingress
COPY streams /opt/dora/app/streams
COPY query /opt/dora/app/query
COPY deploy /opt/dora/app/deploy
RUN install -m 755 /opt/dora/app/deploy/docker/dora /opt/dora/bin/dora \
 && PYTHONPATH=/opt/dora/app /opt/dora/bin/python -P -m deploy.docker.sbom > /opt/dora/sbom.cdx.json \
 # Nothing can be written at run time, so what Python would compile at each start is compiled here, without the
 # time stamps that would make two builds differ.
 && python3 -P /opt/dora/app/deploy/docker/slim.py /opt/dora/lib \
 && find /opt/dora -name tests -path '*/site-packages/*' -type d -prune -exec rm -r {} + \
 && find /opt/dora -name __pycache__ -type d -prune -exec rm -r {} + \
 && /opt/dora/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/dora/lib /opt/dora/app

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="dora-events" \
      org.opencontainers.image.description="CloudEvents in, DORA metrics out, with the evidence behind every number" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# No installer is left that could bring in what was not checked. The state folder belongs to the user below, and so
# does a volume that is mounted over it for the first time.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/ensurepip /usr/local/lib/python3*/site-packages/pip* \
    /usr/local/lib/python3*/site-packages/setuptools* \
 && install -d -o 10001 -g 10001 -m 750 /var/lib/dora
COPY --from=build /opt/dora /opt/dora
ENV PATH=/opt/dora/bin:$PATH \
    PYTHONPATH=/opt/dora/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    HOME=/var/lib/dora \
    DORA_HOST=0.0.0.0 \
    DORA_STATE_DIR=/var/lib/dora/state
USER 10001:10001
WORKDIR /var/lib/dora
EXPOSE 8080 8081 8082
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["/opt/dora/bin/python", "-P", "-m", "deploy.docker.health", "healthz"]
ENTRYPOINT ["dora"]
CMD ["--help"]

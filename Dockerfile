# The connector's image: `docker build -t cio-connector .`
# What the image runs is pinned by hash; a test checks this file's parts, but only a Docker engine builds it.
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements.lock requirements-runtime.lock ./
RUN python -m venv /opt/cio-connector \
    && /opt/cio-connector/bin/pip install --require-hashes --only-binary :all: --requirement requirements-runtime.lock
# What builds the package is pinned as well; it stays behind in this stage.
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY connector connector
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/cio-connector/bin/pip install --no-deps /wheels/*.whl \
    && /opt/cio-connector/bin/pip uninstall --yes pip

FROM ${PYTHON}
LABEL org.opencontainers.image.title="cio-connector" \
      org.opencontainers.image.description="Events from Kafka into Customer.io: none lost, none counted twice, each person's in order" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/cio-connector /opt/cio-connector
ENV PATH=/opt/cio-connector/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# By number, so that Kubernetes can see that it is not root. It owns nothing and writes only to /tmp.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"CIO_SERVER__PORT\", 8080)}/livez', timeout=4)"]
ENTRYPOINT ["cio-connector"]
CMD ["run"]

# syntax=docker/dockerfile:1
# One image for every program of the lab: Airflow's parts, the reference twin, the bench agents, the one-shot services.
# Based on plain Python and not on Airflow's image, so that the two locks decide what is in it.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /opt/twinbench
# The locks change rarely and the sources often: what is below this layer is built again, what is above is not.
COPY requirements.txt ./
COPY deploy/requirements-servers.txt deploy/
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --require-hashes -r requirements.txt \
    && /opt/venv/bin/pip install --require-hashes -r deploy/requirements-servers.txt
COPY . .
# Editable, as in a checkout: the package finds include/ beside src/. The build backend comes from the lock.
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --no-index --editable . \
    && /opt/venv/bin/python -m compileall -q src \
    && /opt/venv/bin/pip check

FROM python:3.11.14-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 lab \
    && useradd --uid 10001 --gid lab --no-create-home --home-dir /tmp --shell /usr/sbin/nologin lab \
    # New named volumes take over the owner of the folder they are mounted on.
    && install --directory --owner lab --group lab --mode 0750 \
       /storage /var/log/airflow /var/lib/twin /var/lib/bench
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/twinbench /opt/twinbench
# /tmp is the only place that is not a volume where a program may write; see docker-compose.yaml.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/tmp/airflow \
    MPLCONFIGDIR=/tmp/matplotlib \
    NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /tmp
USER lab
ENTRYPOINT ["tini", "--", "/opt/twinbench/deploy/entrypoint.sh"]
CMD ["twinbench", "--help"]

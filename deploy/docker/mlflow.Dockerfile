# MLflow's tracking server with the PostgreSQL client, from a lock of its own (the same versions as the tests run).

FROM python:3.11-slim-bookworm
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
COPY deploy/docker/mlflow.lock /opt/mlflow/mlflow.lock
RUN python -m pip install --quiet --require-hashes --only-binary=:all: --requirement /opt/mlflow/mlflow.lock \
    && groupadd --gid 10001 mlflow \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin mlflow \
    && install --directory --owner 10001 --group 10001 /var/lib/mlflow
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /var/lib/mlflow
USER 10001:10001
EXPOSE 5000
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000"]

#!/bin/sh
# The API server with its users. Airflow's simple auth manager opens its password file for writing, and the secrets are
# mounted read-only: so it is given a copy.
set -eu
install -D -m 600 /run/lab-secrets/airflow/users.json "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
exec airflow api-server

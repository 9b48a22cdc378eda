#!/bin/bash
# One role and one database per party; a role may enter its own database only.
#
# The image runs it when it makes a new cluster. It may be run again, to give the roles their passwords after these were
# renewed: docker compose exec postgres /docker-entrypoint-initdb.d/databases.sh
set -euo pipefail

for party in airflow lims twin; do
  export PARTY=$party
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set party `printenv PARTY`
\set password `cat "/run/lab-secrets/postgres/$PARTY"`
SELECT format('CREATE ROLE %I', :'party') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'party') \gexec
ALTER ROLE :"party" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %1$I OWNER %1$I', :'party')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'party') \gexec
REVOKE ALL ON DATABASE :"party" FROM PUBLIC;
SQL
done
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --command 'REVOKE ALL ON DATABASE postgres FROM PUBLIC'

#!/bin/sh
# Brings both databases of the laboratory to this version, Airflow's own with the lab's roles and accounts, and the
# LIMS's. Nothing happens if they are.
set -eu
python -m twinbench.orchestration.accounts /run/lab-secrets/airflow/accounts.json
exec python -c '
from twinbench.adapters.environment import Settings
from twinbench.adapters.postgres import CatalogueTables, Database, migrate
from twinbench.orchestration.opening import read_catalogue

settings = Settings.from_environment()
migrate(settings.database_url)
CatalogueTables(Database(settings.database_url)).load(read_catalogue(settings.include))
'

#!/bin/sh
# Brings both databases of the laboratory to this version: Airflow's own and the LIMS's. Nothing happens if they are.
set -eu
airflow db migrate
exec python -c '
from twinbench.adapters.environment import Settings
from twinbench.adapters.postgres import migrate

migrate(Settings.from_environment().database_url)
'

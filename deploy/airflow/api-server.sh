#!/bin/sh
# The API server. People who reach it by https come through a proxy: then cookies are for HTTPS only, and the proxy is
# believed who calls. Nobody else reaches the port (docs/servers.md).
set -eu
case "$AIRFLOW__API__BASE_URL" in
https:*)
  export AIRFLOW__FAB__COOKIE_SECURE=True FORWARDED_ALLOW_IPS='*'
  exec airflow api-server --proxy-headers
  ;;
esac
exec airflow api-server

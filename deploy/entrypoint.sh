#!/bin/sh
# Gives a program the secrets of its party, then becomes that program.
#
# A service mounts only the folders of its own parties below /run/lab-secrets. Each line NAME=value of their .env files
# becomes a variable, literally: nothing in it is expanded. A variable that has a value already keeps it, so an address
# can be replaced from outside (docs/servers.md).
set -eu

for file in "${LAB_SECRETS:-/run/lab-secrets}"/*/*.env; do
  [ -e "$file" ] || continue
  while IFS= read -r line; do
    name=${line%%=*}
    [ -n "$(printenv "$name")" ] || export "$name=${line#*=}"
  done <"$file"
done
exec "$@"

#!/bin/bash
# As the official image: the data folder is made with POSTGRES_USER and POSTGRES_PASSWORD when it is new.
set -euo pipefail
export PGDATA=${PGDATA:-/var/lib/postgresql/data}
programs=$(echo /usr/lib/postgresql/*/bin)
PATH=$programs:$PATH
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --username "${POSTGRES_USER:-postgres}" --pwfile <(echo "$POSTGRES_PASSWORD") --auth scram-sha-256 "$PGDATA"
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -c listen_addresses='*' -D "$PGDATA"

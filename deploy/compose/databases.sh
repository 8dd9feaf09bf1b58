#!/usr/bin/env bash
# Makes a database for each service, with a user of its own who alone may connect to it. PostgreSQL's image runs it once,
# when its volume is new; a password is put in by psql and never by the shell, whatever characters it has.
set -euo pipefail

for service in consent metering licensing directory; do
  secret="${service^^}_PASSWORD"
  psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    --set=service="$service" --set=secret="${!secret}" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'secret';
CREATE DATABASE :"service" OWNER :"service" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done

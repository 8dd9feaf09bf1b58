# Run once, when the volume is empty: each service has its role and its database, and reaches no other.
# The image reads it into its own shell, which stops at the first error; nothing of that is changed here.
for service in consent metering licensing; do
  psql --username postgres --set ON_ERROR_STOP=1 \
    --set role="$service" --set password="$(cat "/etc/postgresql-passwords/$service")" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"role" OWNER :"role" ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE :"role" FROM PUBLIC;
SQL
done

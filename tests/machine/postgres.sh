# Sourced by tests/run: a private PostgreSQL on a free port of the loopback, in the temporary folder, gone at the end.

postgres_bin=""
postgres_dir="$scratch/postgres"

# Prints the folder of the newest PostgreSQL server programs; Debian keeps them out of PATH.
find_postgres() {
  local bin
  for bin in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) "$(dirname "$(command -v initdb || echo /none)")"; do
    if [ -x "$bin/initdb" ] && [ -x "$bin/pg_ctl" ]; then echo "$bin" && return 0; fi
  done
  return 1
}

# PostgreSQL refuses to run as root; its package brings the user postgres.
can_run_postgres() { [ "$(id -u)" -ne 0 ] || id postgres >/dev/null 2>&1; }

as_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd "$postgres_dir" && runuser -u postgres -- "$@")
  else
    (cd "$postgres_dir" && "$@")
  fi
}

# Sets POSTERN_TEST_DATABASE; one that is set already is used as it is.
start_postgres() {
  if [ -n "${POSTERN_TEST_DATABASE:-}" ]; then return 0; fi
  postgres_bin="$(find_postgres)" || { echo "no PostgreSQL server here: run ./tests/run install" >&2 && return 1; }
  local password
  password="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
  mkdir "$postgres_dir" && printf '%s' "$password" >"$postgres_dir/password" || return 1
  if [ "$(id -u)" -eq 0 ]; then chown -R postgres "$postgres_dir"; fi
  chmod 700 "$postgres_dir"
  as_postgres "$postgres_bin/initdb" --pgdata="$postgres_dir/data" --username=postern --pwfile="$postgres_dir/password" \
    --auth=password --encoding=UTF8 --locale=C --no-sync >"$postgres_dir/initdb.log" 2>&1 ||
    { tail -n 20 "$postgres_dir/initdb.log" >&2 && return 1; }
  launch_postgres "$password"
}

# A free port cannot be reserved, so a taken one costs another try.
launch_postgres() {
  local port tries
  for tries in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    if as_postgres "$postgres_bin/pg_ctl" start --pgdata="$postgres_dir/data" --log="$postgres_dir/server.log" --wait \
      --silent --options="$(postgres_options "$port")" >/dev/null 2>&1; then
      export POSTERN_TEST_DATABASE="postgres://postern:$1@127.0.0.1:$port/postgres"
      echo "PostgreSQL $("$postgres_bin/postgres" --version | grep -oE '[0-9.]+' | head -n 1) on 127.0.0.1:$port"
      return 0
    fi
  done
  tail -n 20 "$postgres_dir/server.log" >&2
  return 1
}

# The data lives for one run: nothing needs to reach the disk.
postgres_options() {
  printf '%s' "-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_dir -c fsync=off" \
    " -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=128MB"
}

stop_postgres() {
  if [ -s "$postgres_dir/data/postmaster.pid" ]; then
    as_postgres "$postgres_bin/pg_ctl" stop --pgdata="$postgres_dir/data" --mode=immediate --silent || true
  fi
}

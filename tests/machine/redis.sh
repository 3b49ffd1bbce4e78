# Sourced by tests/run: a private Redis on a free port of the loopback, with nothing on disk, gone at the end.

redis_dir="$scratch/redis"
redis_pid=""

# Sets POSTERN_TEST_REDIS; one that is set already is used as it is. A free port cannot be reserved, so a taken one costs
# another try.
start_redis() {
  if [ -n "${POSTERN_TEST_REDIS:-}" ]; then return 0; fi
  command -v redis-server >/dev/null || { echo "no Redis server here: run ./tests/run install" >&2 && return 1; }
  mkdir -p "$redis_dir" || return 1
  local port tries
  for tries in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    (cd "$redis_dir" && exec redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no) >"$redis_dir/server.log" 2>&1 &
    redis_pid=$!
    if redis_answers "$port"; then
      export POSTERN_TEST_REDIS="redis://127.0.0.1:$port"
      echo "Redis $(redis-server --version | grep -oE 'v=[0-9.]+' | cut -c3-) on 127.0.0.1:$port"
      return 0
    fi
    stop_redis
  done
  tail -n 20 "$redis_dir/server.log" >&2
  return 1
}

# Waits until this server says that it listens; a port that somebody else has is not taken for it.
redis_answers() {
  local wait
  for wait in $(seq 100); do
    if grep -q "Ready to accept connections" "$redis_dir/server.log"; then return 0; fi
    if ! kill -0 "$redis_pid" 2>/dev/null; then return 1; fi
    sleep 0.05
  done
  return 1
}

stop_redis() {
  if [ -n "$redis_pid" ]; then
    kill "$redis_pid" 2>/dev/null || true
    wait "$redis_pid" 2>/dev/null || true
    redis_pid=""
  fi
}

# Sourced by tests/run: what the tests need of the machine. Installs only what is missing, so that a second run is free.

requirements="$PWD/tests/conformance/requirements.txt"
python_tools="$cache/venv" # also read by tests/run
browser_tools="$cache/browser" # likewise

# One line per need: the command that proves it is there, and the Debian package that brings it.
packages_needed() {
  local need
  while read -r proof package; do
    need=true
    case "$proof" in
      postgres-server) find_postgres >/dev/null && can_run_postgres && need=false ;;
      python-venv) python3 -c 'import ensurepip' >/dev/null 2>&1 && need=false ;;
      *) command -v "$proof" >/dev/null 2>&1 && need=false ;;
    esac
    if $need; then echo "$package"; fi
  done <<'NEEDS'
cc build-essential
make build-essential
perl perl
postgres-server postgresql
redis-server redis-server
faketime faketime
python3 python3
python-venv python3-venv
chromium chromium
node nodejs
npm npm
NEEDS
}

install_packages() {
  local wanted=()
  mapfile -t wanted < <(packages_needed | sort -u)
  if [ ${#wanted[@]} -eq 0 ]; then echo "nothing is missing" && return 0; fi
  echo "missing: ${wanted[*]}"
  if ! command -v apt-get >/dev/null; then
    echo "this is no Debian: install what is named above by hand, then run again" >&2
    return 1
  fi
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
  # RUNLEVEL=1: packages that bring a server must not start it; the tests start their own.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=300)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${wanted[@]}"; } >"$scratch/apt.log" 2>&1; then
    tail -n 20 "$scratch/apt.log" >&2
    echo "could not install; as root: apt-get install ${wanted[*]}" >&2
    return 1
  fi
}

# A virtual environment of pinned tools outside the clone, made again only when the pins change.
install_python_tools() {
  local stamp="$python_tools/.installed"
  if cmp -s "$requirements" "$stamp"; then return 0; fi
  mkdir -p "$cache" || return 1
  (
    flock 9 || exit 1
    if cmp -s "$requirements" "$stamp"; then exit 0; fi
    echo "installing $(grep -c '==' "$requirements") Python tools into $python_tools"
    rm -rf "$python_tools" && python3 -m venv "$python_tools" &&
      "$python_tools/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" &&
      cp "$requirements" "$stamp"
  ) 9>"$python_tools.lock"
}

# The packages of the browser tests, as their lock file has them, outside the clone; made again when that changes.
install_browser_tools() {
  local lock="$PWD/tests/browser/package-lock.json" stamp="$browser_tools/.installed"
  # Debian 12 has node 18: the driver is the last that runs on it. Whoever raises that, raises this.
  if ! node -e 'process.exit(parseInt(process.versions.node, 10) < 18 ? 1 : 0)' 2>/dev/null; then
    echo "the browser tests need node 18 or newer; here is $(node --version 2>/dev/null || echo none)" >&2
    return 1
  fi
  if cmp -s "$lock" "$stamp"; then return 0; fi
  mkdir -p "$browser_tools" || return 1
  (
    flock 9 || exit 1
    if cmp -s "$lock" "$stamp"; then exit 0; fi
    echo "installing the browser tests' packages into $browser_tools"
    cp tests/browser/package.json "$lock" "$browser_tools/" &&
      (cd "$browser_tools" && npm ci --ignore-scripts --no-audit --no-fund --silent) && cp "$lock" "$stamp"
  ) 9>"$browser_tools.lock"
}

#!/usr/bin/env bash
# Measures one comparison service, or any running service that keeps the same
# contract, and prints one line of JSON. See README.md.
#
#   run.sh fastapi | django_ninja      starts PostgreSQL and the service
#   run.sh url                         measures what answers at $URL with $API_KEY
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)

service=${1:-}
connections=${CONNECTIONS:-64}
seconds=${SECONDS_MEASURED:-15}
warmup=${SECONDS_WARMUP:-3}
port=${PORT:-18080}
work=${PEERS_WORK:-$repository/target/peers}
python=${PYTHON:-python3}

fail() { echo "run.sh: $*" >&2; exit 1; }
say() { echo "run.sh: $*" >&2; }
need() { command -v "$1" >/dev/null || fail "$1 not found on PATH${2:+ ($2)}"; }

case $service in
    fastapi|django_ninja|url) ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
need "$python"
need curl
need setsid "package util-linux"

# --- stopping: whatever was started is stopped, in reverse order -------------
service_pid='' cluster='' sockets=''
stop() {
    local status=$?
    set +e
    trap - EXIT INT TERM
    trap '' PIPE        # a closed terminal must not leave a database behind
    if [[ -n $service_pid ]] && kill -TERM "$service_pid" 2>/dev/null; then
        local deadline=$((SECONDS + 15))
        while kill -0 "$service_pid" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
        kill -KILL -- "-$service_pid" 2>/dev/null || true   # its workers, should any be left
        wait "$service_pid" 2>/dev/null || true
    fi
    if [[ -n $cluster ]]; then
        if [[ -f $cluster/data/postmaster.pid ]]; then
            as_database "$bindir/pg_ctl" -D "$cluster/data" -m immediate -w -t 30 stop >/dev/null 2>&1 \
                || say "PostgreSQL in $cluster did not stop"
        fi
        if ((status != 0)); then
            for log in "$cluster/service.log" "$cluster/data/server.log"; do
                if [[ -s $log ]]; then say "end of $log:"; tail -n 20 "$log" >&2; fi
            done
        fi
        rm -rf -- "$cluster" "$sockets"
    fi
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- PostgreSQL: a private cluster, on the repository's disk, fully durable --
bindir=''
database_user=${PEERS_DB_USER:-postgres}

# The package's own directory comes first: on Debian, programs on PATH may be
# wrappers or links without psql beside them.
find_postgres() {
    local candidate
    for candidate in \
        "$(pg_config --bindir 2>/dev/null || true)" \
        "$(dirname "$(readlink -f "$(command -v initdb || echo /nonexistent)")")"; do
        if [[ -x $candidate/initdb && -x $candidate/pg_ctl && -x $candidate/psql ]]; then
            bindir=$candidate
            return
        fi
    done
    fail "PostgreSQL server programs (initdb, pg_ctl, psql) not found through pg_config or PATH"
}

# PostgreSQL refuses to run as root, so root lends it an unprivileged user.
as_database() {
    if ((EUID == 0)); then
        setpriv --reuid "$database_user" --regid "$(id -g "$database_user")" --clear-groups -- "$@"
    else
        "$@"
    fi
}

sql() { as_database "$bindir/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

start_postgres() {
    find_postgres
    if ((EUID == 0)); then
        need setpriv "package util-linux"
        if ! id "$database_user" >/dev/null 2>&1; then
            [[ -z ${PEERS_DB_USER:-} ]] || fail "no user $database_user"
            database_user=nobody
        fi
    fi
    mkdir -p "$work"
    case $(stat -f -c %T "$work") in
        tmpfs|ramfs) fail "$work is in memory: durability would cost nothing; set PEERS_WORK to a disk" ;;
    esac
    cluster=$(mktemp -d "$work/cluster.XXXXXX")
    sockets=$(mktemp -d "${TMPDIR:-/tmp}/peers.XXXXXX")   # socket paths must be short
    if ((EUID == 0)); then
        chown "$database_user" "$cluster" "$sockets"
        as_database test -w "$cluster" \
            || fail "user $database_user cannot reach $cluster; set PEERS_WORK to a directory it can"
    fi
    chmod 755 "$sockets"
    export PGHOST=$sockets PGPORT=5432 PGUSER=peer PGDATABASE=peer
    (
        cd "$cluster"
        as_database "$bindir/initdb" -D "$cluster/data" -U peer --auth=trust -E UTF8 --locale=C \
            >/dev/null
        cat "$here/postgresql.conf" >>"$cluster/data/postgresql.conf"
        as_database "$bindir/pg_ctl" -D "$cluster/data" -l "$cluster/data/server.log" -w -t 60 \
            -o "-c listen_addresses='' -c unix_socket_directories='$sockets'" start >/dev/null
        sql -d postgres -c 'CREATE DATABASE peer'
        sql <"$here/schema.sql"
    ) || fail "PostgreSQL did not start"
    api_key="peer_test_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    sql -c "INSERT INTO api_keys VALUES (sha256('$api_key'), 1)"
    local setting
    for setting in fsync synchronous_commit full_page_writes; do
        [[ $(sql -c "SHOW $setting") == on ]] || fail "$setting is not on"
    done
}

# --- the service -------------------------------------------------------------
venv=''
make_venv() {
    venv=$work/venv-$service
    local wanted
    wanted=$( { "$python" --version; cat "$here/$service/requirements.txt"; } | sha256sum)
    if [[ $(cat "$venv/requirements.sha256" 2>/dev/null) != "$wanted" ]]; then
        say "installing $service into $venv"
        rm -rf -- "$venv"
        mkdir -p "$work"
        "$python" -m venv "$venv" || fail "$python cannot make a venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
            -r "$here/$service/requirements.txt" >&2 || fail "pip could not install the requirements"
        echo "$wanted" >"$venv/requirements.sha256"
    fi
}

ready() { curl -fsS -o /dev/null --max-time 5 "$url/api/v1/health/ready" 2>/dev/null; }

start_service() {
    url=http://127.0.0.1:$port
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        fail "port $port is in use; set PORT"
    fi
    export PYTHONPATH=$here/shared PYTHONDONTWRITEBYTECODE=1
    case $service in
        fastapi)
            setsid "$venv/bin/uvicorn" app:app --app-dir "$here/fastapi" --host 127.0.0.1 --port "$port" \
                --workers "${PEER_WORKERS:-2}" --loop uvloop --http httptools --no-access-log \
                --log-level warning --backlog 2048 >"$cluster/service.log" 2>&1 &
            ;;
        django_ninja)
            setsid "$venv/bin/gunicorn" wsgi:application --chdir "$here/django_ninja" \
                --bind "127.0.0.1:$port" --workers "${PEER_WORKERS:-4}" --worker-class gthread \
                --threads "${PEER_THREADS:-16}" --keep-alive 75 --log-level warning \
                >"$cluster/service.log" 2>&1 &
            ;;
    esac
    service_pid=$!
    local deadline=$((SECONDS + 30))
    until ready; do
        kill -0 "$service_pid" 2>/dev/null || fail "$service stopped while starting"
        ((SECONDS < deadline)) || fail "$service was not ready after 30 s"
        sleep 0.1
    done
}

# --- the load ----------------------------------------------------------------
# LOAD is wrk, oms, or a command with %URL% %KEY% %CONNECTIONS% %SECONDS% whose
# last line of output that starts with { is its result.
load=${LOAD:-}
oms=$(command -v oms || true)
[[ -n $oms || ! -x $repository/target/release/oms ]] || oms=$repository/target/release/oms
if [[ -z $load ]]; then
    if [[ -n $oms ]]; then load=oms; else load=wrk; fi
fi
load_name=$load
case $load in
    wrk)
        need wrk "Debian package wrk"
        load="wrk -t${WRK_THREADS:-1} -c%CONNECTIONS% -d%SECONDS%s --timeout 10s -s '$here/post.lua' %URL%"
        ;;
    oms)
        [[ -n $oms ]] || fail "LOAD=oms, but oms is neither on PATH nor in target/release"
        load="'$oms' load --url %URL% --key %KEY% --connections %CONNECTIONS% --duration %SECONDS%s --mode closed --json"
        ;;
    *) load_name=command ;;
esac

run_load() { # seconds -> the result line
    local command=$load output
    command=${command//%URL%/$url}
    command=${command//%KEY%/$api_key}
    command=${command//%CONNECTIONS%/$connections}
    command=${command//%SECONDS%/$1}
    output=$(API_KEY=$api_key bash -c "$command") || { echo "$output" >&2; fail "the load failed: $command"; }
    grep '^{' <<<"$output" | tail -n 1 || { echo "$output" >&2; fail "the load printed no line of JSON"; }
}

# Commits that are durable, and how many flushes of the log they shared.
counters() { sql -c "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_events),
    (SELECT count(*) FROM idempotency), (SELECT wal_sync FROM pg_stat_wal)"; }

if [[ $service == url ]]; then
    : "${URL:?set URL}" "${API_KEY:?set API_KEY}"
    url=${URL%/} api_key=$API_KEY
else
    make_venv
    start_postgres
    start_service
fi

API_KEY=$api_key "$python" "$here/contract.py" "$url" || fail "the service does not keep the contract"
((warmup == 0)) || run_load "$warmup" >/dev/null

mkdir -p "$work"
box_directory=${cluster:-$work}
before='' after=''
if [[ $service != url ]]; then
    # Settled: nothing from the warm-up is written back during the measurement.
    sql -c 'CHECKPOINT'
    before=$(counters)
fi
# Sampled on both sides of the measurement, while the service idles.
box_before=$("$python" "$here/box.py" "$box_directory")
result=$(run_load "$seconds")
box_after=$("$python" "$here/box.py" "$box_directory")
[[ $service == url ]] || after=$(counters)

SERVICE=$service RESULT=$result BOX_BEFORE=$box_before BOX_AFTER=$box_after BEFORE=$before AFTER=$after CONNECTIONS=$connections LOAD_NAME=$load_name \
VARIANT=${PEER_WRITE:-statement} "$python" "$here/result.py"

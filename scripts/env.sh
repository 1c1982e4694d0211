# Sourced by the scripts beside it: where the checkout and the caches are, and how a missing tool is
# got. Nothing here writes into the checkout.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
least_uv=0.9

say() { printf '• %s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# The user's cache folder; without a home that can be written to, a private temporary folder.
find_cache() {
    local wish=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
    if [ -z "$wish" ] || ! mkdir -p "$wish/fwid" 2>/dev/null || [ ! -w "$wish/fwid" ]; then
        HOME=${TMPDIR:-/tmp}/fwid-$(id -u)
        [ -d "$HOME" ] || mkdir -m 700 "$HOME"
        [ -O "$HOME" ] || die "$HOME belongs to somebody else; set HOME or XDG_CACHE_HOME to a folder of yours"
        unset XDG_CACHE_HOME
        export HOME
        wish=$HOME/.cache
        say "no home folder to write to: caches go to $wish"
    fi
    cache=$wish/fwid
    mkdir -p "$cache"
    # Trust what the machine trusts: a company's proxy may sign for the package index.
    if [ -e /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true}; fi
    export MYPY_CACHE_DIR=$cache/mypy RUFF_CACHE_DIR=$cache/ruff
    # Some machines forbid Python to write bytecode beside the sources; then each of the hundreds of
    # programs that the tests start compiles all of its modules again. Here it may, in the cache.
    export PYTHONPYCACHEPREFIX=$cache/bytecode
    unset PYTHONDONTWRITEBYTECODE
}

# install_debian WHY PACKAGE...: as root only; otherwise says what is missing and fails.
install_debian() {
    local why=$1
    shift
    if [ "$(id -u)" != 0 ] || ! has apt-get; then
        say "not installed: $* ($why); as root: apt-get install $*"
        return 1
    fi
    say "installing the Debian packages $* ($why)"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@")
    "${install[@]}" >/dev/null 2>&1 || { apt-get update -qq >&2 && "${install[@]}" >/dev/null; }
}

# private_apt FOLDER ARGUMENT...: apt with its state in FOLDER, believing that nothing is installed,
# so that a package brings all its libraries, the C library included.
private_apt() {
    local folder=$1
    shift
    apt-get -qq -o Dir::State="$folder/state" -o Dir::State::status="$folder/status" \
        -o Dir::Cache="$folder/cache" -o Dir::Etc::sourcelist="$folder/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false \
        -o Acquire::Languages=none "$@" >&2
}

# unpack_debian SUITE FOLDER PACKAGE...: packages of any suite with all their libraries, in
# FOLDER/tree; from the first of the machine's own mirrors that carries it. The system stays as it is.
unpack_debian() {
    local suite=$1 folder=$2 keyring mirror package
    shift 2
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
        [ -e "$keyring" ] && break
    done
    mkdir -p "$folder"/{state/lists,cache/archives}/partial "$folder/tree"
    touch "$folder/status"
    while read -r mirror; do
        echo "deb [signed-by=$keyring] $mirror $suite main" >"$folder/sources.list"
        private_apt "$folder" update &&
            private_apt "$folder" install --yes --download-only "$@" && break
    done < <(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(REPO_URI)' |
        sed -n 's/^Packages main //p' | awk '!seen[$0]++')
    for package in "$folder"/cache/archives/*.deb; do
        [ -e "$package" ] && dpkg -x "$package" "$folder/tree" || return
    done
}

uv_is_new_enough() {
    local version
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#uv }
    printf '%s\n' "$least_uv" "${version%% *}" | sort -C -V
}

# Puts a new enough uv on PATH: the user's own, or one in the cache folder, by whatever is there.
ensure_uv() {
    uv_is_new_enough uv && return
    PATH=$cache/uv/bin:$PATH
    uv_is_new_enough uv && return
    say "installing uv (it makes the Python environments) into $cache/uv"
    has python3 || install_debian "Python runs everything here" python3 python3-venv || true
    install_uv || { install_debian "Python cannot make environments without it" python3-venv && install_uv; } ||
        die "uv could not be installed; install it, or python3-venv, and run this again"
    hash -r
}

install_uv() {
    rm -rf "$cache/uv"
    if python3 -m venv "$cache/uv" >/dev/null 2>&1; then
        "$cache/uv/bin/python" -m pip install --quiet "uv>=$least_uv" >&2
    elif python3 -m pip --version >/dev/null 2>&1; then
        rm -rf "$cache/uv"
        python3 -m pip install --quiet --target "$cache/uv" "uv>=$least_uv" >&2
    elif has pipx; then
        PIPX_HOME=$cache/pipx PIPX_BIN_DIR=$cache/uv/bin pipx install "uv>=$least_uv" >&2
    else
        return 1
    fi
    uv_is_new_enough "$cache/uv/bin/uv"
}

# find_python VERSION: the path of such an interpreter, from this machine, or else from uv.
find_python() {
    local find=(uv python find --no-project --no-python-downloads "$1")
    "${find[@]}" 2>/dev/null && return
    say "looking for Python $1 among uv's own builds"
    UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=30 uv python install --quiet --no-bin "$1" 2>/dev/null || return
    "${find[@]}"
}

# environment NAME: the folder of an environment that belongs to this checkout alone.
environment() { printf '%s/envs/%s/%s\n' "$cache" "$(printf '%s' "$root" | cksum | cut -d' ' -f1)" "$1"; }

# sync NAME PYTHON GROUP...: brings that environment to what uv.lock says; its folder is in $env.
sync() {
    env=$(environment "$1")
    local python=$2 groups=()
    shift 2
    local group
    for group in "$@"; do groups+=(--group "$group"); done
    [ -d "$env" ] || say "making the environment $env (dependency groups: $*)"
    UV_PROJECT_ENVIRONMENT=$env uv sync --quiet --project "$root" --locked --no-default-groups \
        --python "$python" "${groups[@]}"
}

# Makes `alone` the words that run a command in a network of its own, where there is only this
# machine: nobody can be asked by mistake, and Chromium, which drops its requests whenever an
# interface comes or goes, is not disturbed. Without user namespaces, commands run as they are.
find_alone() {
    alone=()
    unshare --map-root-user --net true 2>/dev/null || return 0
    alone=(unshare --map-root-user --net sh -c
        'ip link set lo up multicast on && ip route add 224.0.0.0/4 dev lo && exec "$@"' sh)
}

find_cache

# Sourced by the scripts beside it: where things are, what must be installed, and the one way this project is built.
# shellcheck shell=bash
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck disable=SC2034
release_binary=$root/.build/release/mcp-bridge
# The distribution's own Python: a service under ProtectHome= cannot run one that lives in a home.
python=/usr/bin/python3

heading() { printf '\n== %s\n' "$*"; }
note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { note "$@"; exit 1; }

# need_packages PACKAGE...: installs the Debian packages that are missing; without the right to, says what to run.
need_packages() {
    local package as=() missing=()
    command -v dpkg-query >/dev/null || { note "not a Debian system; make sure you have the like of: $*"; return 0; }
    for package; do
        [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) == "install ok installed" ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $EUID != 0 ]]; then
        command -v sudo >/dev/null || die "missing packages; as root: apt-get install ${missing[*]}"
        as=(sudo)
    fi
    note "installing ${missing[*]}"
    "${as[@]}" apt-get update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# What the build itself needs.
need_build_packages() {
    command -v swift >/dev/null || die "no Swift toolchain on PATH (6.2 or newer: https://www.swift.org/install/linux/)"
    need_packages libsystemd-dev libsqlite3-dev pkg-config
}

# orders_functions: whether a release can have its functions in the order that is wanted. Trees from before say none, and it takes
# lld: the toolchain's, or the system's.
orders_functions() {
    local resources
    [[ -f $root/scripts/functions.order ]] || return 1
    resources=$(swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')
    [[ -x $resources/../../bin/ld.lld ]] || command -v ld.lld >/dev/null
}

# swift_build debug|release [OPTION...]: a target that imports what it does not depend on is an error. The release
# build carries Swift's libraries inside, so that it runs where there is no toolchain.
swift_build() {
    local configuration=$1 options=()
    shift
    if [[ $configuration == release ]]; then
        options=(--static-swift-stdlib)
        # Which functions stand next to each other (ARCHITECTURE, "The order of functions").
        ! orders_functions || options+=(
            -Xswiftc -Xfrontend -Xswiftc -function-sections -Xswiftc -use-ld=lld
            -Xlinker --symbol-ordering-file="$root/scripts/functions.order" -Xlinker --no-warn-symbol-ordering
        )
    fi
    swift build --package-path "$root" --configuration "$configuration" \
        --explicit-target-dependency-import-check error "${options[@]}" "$@"
}

# needs_nothing_else BINARY: true when every shared library it loads is the system's.
needs_nothing_else() {
    local libraries
    libraries=$(ldd "$1") || die "$1 is not a program for this machine"
    ! grep -vE '^[[:space:]]*(linux-vdso|/lib|[^ ]+ => /(usr/)?lib(64)?/)' <<<"$libraries" >&2
}

# python_environment NAME: makes or brings up to date .build/venv-NAME from Tests/requirements-NAME.txt.
python_environment() {
    local name=$1 folder=$root/.build/venv-$1 wanted
    wanted=$(cat "$root/Tests/requirements.txt" "$root/Tests/requirements-$name.txt" | sha256sum)
    [[ -f $folder/stamp && $(<"$folder/stamp") == "$wanted" ]] && return 0
    rm -rf "$folder"
    mkdir -p "${folder%/*}"
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$root/Tests/requirements-$name.txt"
    printf '%s\n' "$wanted" >"$folder/stamp"
}

#!/usr/bin/env bash
# Tries the rename on programs that others wrote: fetches each at the version that docs/adoption.md names, points its lines of
# tokio, tokio-util and tokio-stream at the drop-ins of this working copy, and builds it. Of its source nothing is touched but
# the line of which docs/adoption.md says so.
#
#   docs/adoption.sh [FOLDER] [PROGRAM…]      all of them without arguments, in target/adoption
#
# Not a part of what must pass before a change lands: it needs the registry, and some 10 minutes.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$repository/target/adoption}
shift || true

# Name, version, and what its build is asked for. Features that bring TLS are off.
programs=(
    "mini-redis 0.4.1"
    "bore-cli 0.6.0"
    "rumqttd 0.20.0 --no-default-features"
    "dufs 0.47.0 --no-default-features"
    "mdbook 0.5.4 --no-default-features --features serve"
    "websocat 4.0.0-alpha3 --no-default-features"
    "tokio-console 0.1.14"
    "console-subscriber 0.5.0 --lib"
    "static-web-server 3.0.0-beta.2 --no-default-features --features compression,directory-listing,basic-auth,fallback-page"
    "hickory-dns 0.26.3 --no-default-features --features resolver"
    "rathole 0.5.0 --no-default-features --features server,client,noise,hot-reload"
    "iroh-relay 1.4.1 --features server"
)

# The package's source, where cargo keeps it: it fetches what a project depends on, and then leaves out of the project what is
# no library.
source_of() {
    local name=$1 version=$2 scratch=$folder/fetch-$1
    mkdir -p "$scratch/src"
    : >"$scratch/src/lib.rs"
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n%s = "=%s"\n' \
        "$name" "$version" >"$scratch/Cargo.toml"
    cargo metadata --quiet --format-version 1 --manifest-path "$scratch/Cargo.toml" >/dev/null
    find "${CARGO_HOME:-$HOME/.cargo}/registry/src" -mindepth 2 -maxdepth 2 -name "$name-$version" | head -1
}

# `[dependencies.tokio]`, as a published manifest has it, becomes that of the drop-in; so do the other two. Its tests and
# examples are the program's own affair.
rename() {
    awk -v probe="$repository/probe" '
        /^\[/ {
            in_one = match($0, /^\[(target\..*\.)?dependencies\.(tokio|tokio-util|tokio-stream)\]$/)
            is_tokio = /dependencies\.tokio\]$/
            skip = match($0, /^\[(dev-dependencies|\[(test|example|bench)\])/)
        }
        skip { next }
        in_one && /^version = / { next }
        # tokio has no default features; those of the drop-in are what it watches.
        in_one && is_tokio && /^default-features = false/ { next }
        { print }
        in_one && /^\[/ {
            name = $0; sub(/^.*dependencies\./, "", name); sub(/\]$/, "", name)
            print "package = \"async-inspect-" name "\""
            print "path = \"" probe "/" name "\""
        }' "$1/Cargo.toml" >"$1/Cargo.toml.renamed"
    mv "$1/Cargo.toml.renamed" "$1/Cargo.toml"
    grep -q "^\[workspace\]" "$1/Cargo.toml" || printf '\n[workspace]\n' >>"$1/Cargo.toml"
}

failed=()
for program in "${programs[@]}"; do
    read -r name version flags <<<"$program"
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    printf '\n== %s %s\n' "$name" "$version"
    copy=$folder/$name
    rm -rf "$copy"
    mkdir -p "$folder"
    cp -r "$(source_of "$name" "$version")" "$copy"
    # What it depends on is as `cargo install` takes it, newest: old locks name what the compiler of today refuses.
    rm -f "$copy/Cargo.lock"
    rename "$copy"
    # A handle of tokio's own is what another library's path to tokio-util's own wants.
    [ "$name" != iroh-relay ] || sed -i 's/AbortOnDropHandle::new(task)/AbortOnDropHandle::new(task.into())/' "$copy/src/server.rs"
    # shellcheck disable=SC2086
    if cargo build --manifest-path "$copy/Cargo.toml" --target-dir "$folder/target" --bins $flags; then
        echo "-- builds"
    else
        failed+=("$name $version")
    fi
done
[ ${#failed[@]} -eq 0 ] || {
    printf '\ndoes not build: %s\n' "${failed[@]}" >&2
    exit 1
}

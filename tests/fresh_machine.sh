#!/usr/bin/env bash
# Proves the two commands of the README on a machine that has nothing: a minimal Debian 12 with python3, pip
# and make, in a chroot. Needs root, debootstrap and git on this side; none of them on the other side.
#
#   root   make demo and make test as root
#   user   make demo as a user without sudo must print the line to run and exit 2;
#          after root has run that very line, make demo and make test pass for that user
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: tests/fresh_machine.sh [--only root|user] [--targets "demo test"] [--cache DIR] [--mirror URL] [--worktree] [--keep]

  --only      run one of the two parts
  --targets   make targets instead of "demo test", e.g. --targets setup
  --cache     keep the unpacked minimal Debian here, for the next run
  --mirror    Debian mirror; default: the one in this machine's own apt sources
  --worktree  the files as they are now, instead of a clean clone of HEAD
  --keep      leave the chroots behind and print where they are
TEXT
}

parts="root user" targets="demo test" cache="" mirror="" worktree=false keep=false
while [ $# -gt 0 ]; do
    case $1 in
        --only) parts=$2; shift ;;
        --targets) targets=$2; shift ;;
        --cache) cache=$2; shift ;;
        --mirror) mirror=$2; shift ;;
        --worktree) worktree=true ;;
        --keep) keep=true ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "fresh_machine: must run as root (chroot, mount)" >&2; exit 2; }
for tool in debootstrap git unshare; do
    command -v "$tool" >/dev/null || { echo "fresh_machine: $tool is not installed" >&2; exit 2; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/fresh-machine.XXXXXX")
chmod 755 "$work"
clean_up() {
    # everything mounted inside lives in namespaces of its own and is gone by now; --one-file-system to be sure
    if $keep; then echo "kept: $work"; else rm -rf --one-file-system "$work"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

results=()
say() { printf '\n=== %s\n' "$*"; }
fail() { printf '\nfresh_machine: FAILED: %s\n' "$*" >&2; exit 1; }

# How this machine reaches its mirrors and registries is part of the machine: proxies, certificates, pip's and
# uv's configuration go along; nothing else of the environment does.
network_environment() {
    env | grep -iE '^(https?_proxy|no_proxy|all_proxy|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|PIP_[A-Z_]+|UV_[A-Z_]+)=' || true
}

# inside ROOT USER:GROUP HOME COMMAND: own mounts and processes, both gone when the command ends
inside() {
    local root=$1 owner=$2 home=$3 command=$4
    local -a network
    mapfile -t network < <(network_environment)
    # shellcheck disable=SC2016  # expanded by the inner shell
    unshare --mount --pid --fork --kill-child bash -euc '
        root=$1 owner=$2; shift 2
        mount -t proc proc "$root/proc"
        mkdir -p "$root/dev/shm"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        chroot --userspec="$owner" "$root" "$@"
    ' inside "$root" "$owner" /usr/bin/env -i "${network[@]}" HOME="$home" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c "$command"
}

copy_network_configuration() {
    local root=$1 home=$2 name
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    for name in etc/pip.conf etc/uv/uv.toml; do
        if [ -f "/$name" ]; then install -D -m 644 "/$name" "$root/$name"; fi
    done
    for name in .config/pip/pip.conf .config/uv/uv.toml; do
        if [ -f "${HOME:-/root}/$name" ]; then install -D -m 644 "${HOME:-/root}/$name" "$root$home/$name"; fi
    done
    mkdir -p "$root/usr/local/share/ca-certificates"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \; 2>/dev/null || true
    inside "$root" 0:0 /root "update-ca-certificates >/dev/null 2>&1"
    apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99as-on-the-host" || true
}

build_base() {
    local archive=$1 root=$work/base
    if [ -z "$mirror" ]; then
        # shellcheck disable=SC2016  # apt's own placeholders
        mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' |
            awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
    fi
    [ -n "$mirror" ] || fail "no Debian 12 mirror in apt's sources here; name one with --mirror"
    say "debootstrap"
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" ||
        { tail -n 20 "$work/debootstrap.log" >&2; fail "debootstrap"; }
    apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99as-on-the-host" || true
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    inside "$root" 0:0 /root "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
        --no-install-recommends python3 python3-pip make ca-certificates >/dev/null && apt-get clean" 2>&1 |
        grep -v '^debconf:' || true
    inside "$root" 0:0 /root "python3 -m pip --version && make --version >/dev/null"
    rm -rf "$root"/var/lib/apt/lists/*
    tar -C "$root" -cf "$archive.part" .
    mv "$archive.part" "$archive"
    rm -rf --one-file-system "$root"
}

# new_machine NAME HOME OWNER: an unpacked base with the repository in HOME/vendorwatch
new_machine() {
    local root=$work/$1 home=$2 owner=$3
    mkdir "$root"
    tar -C "$root" -xf "$archive"
    if [ "$owner" != 0:0 ]; then inside "$root" 0:0 /root "useradd --create-home --uid ${owner%:*} --shell /bin/sh ${home##*/}"; fi
    copy_network_configuration "$root" "$home"
    if $worktree; then
        mkdir "$root$home/vendorwatch"
        git -C "$repository" ls-files -coz --exclude-standard |
            tar -C "$repository" --null --files-from=- --ignore-failed-read -cf - | tar -C "$root$home/vendorwatch" -xf -
    else
        git clone --quiet --no-local "$repository" "$root$home/vendorwatch"
        rm -rf "$root$home/vendorwatch/.git"
    fi
    chown -R "$owner" "$root$home"
    for absent in git curl gcc sudo fc-list; do
        if inside "$root" 0:0 /root "command -v $absent" >/dev/null; then fail "$absent is there; this is no bare machine"; fi
    done
}

# run_target PART ROOT OWNER HOME TARGET
run_target() {
    local part=$1 root=$2 owner=$3 home=$4 target=$5 started=$SECONDS
    say "$part: make $target"
    inside "$root" "$owner" "$home" "cd ~/vendorwatch && make $target" || fail "$part: make $target"
    results+=("$(printf '%-5s make %-8s %4d s' "$part" "$target" $((SECONDS - started)))")
}

part_root() {
    local target
    new_machine root /root 0:0
    for target in $targets; do run_target root "$work/root" 0:0 /root "$target"; done
}

part_user() {
    local root=$work/user owner=1000:1000 home=/home/dev target code=0 line
    new_machine user "$home" "$owner"
    say "user: make ${targets%% *}, without Pango and without sudo"
    inside "$root" "$owner" "$home" "cd ~/vendorwatch && make ${targets%% *}" >"$work/refused" 2>&1 || code=$?
    cat "$work/refused"
    [ "$code" = 2 ] || fail "user: expected exit 2, got $code"
    line=$(grep -E '^ +apt-get ' "$work/refused") || fail "user: no apt-get line printed"
    [ "$(wc -l <<<"$line")" = 1 ] || fail "user: more than one line to run"
    results+=("user  refused with exit 2 and one line to run")
    say "user: root runs it:$line"
    inside "$root" 0:0 /root "$line" >"$work/apt.log" 2>&1 || { tail -n 20 "$work/apt.log" >&2; fail "user: that line failed"; }
    for target in $targets; do run_target user "$root" "$owner" "$home" "$target"; done
}

if [ -n "$cache" ]; then mkdir -p "$cache"; fi
archive=${cache:-$work}/bookworm-python.tar
[ -f "$archive" ] || build_base "$archive"
for part in $parts; do
    case $part in
        root | user) "part_$part" ;;
        *) usage >&2; exit 2 ;;
    esac
done
say "passed"
printf '%s\n' "${results[@]}"

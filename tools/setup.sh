# Sourced by ./run and ./test: progress lines, and installing the Debian packages that are missing.

say() {
    printf '\033[1m==>\033[0m %s\n' "$*"
}

# Without a terminal, plain text.
[ -t 1 ] || say() { printf '==> %s\n' "$*"; }

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# packages_missing FILE...: those of the lists that are not installed, one a line.
packages_missing() {
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | sort -u | while read -r package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# packages_ensure FILE...: installs what is missing, when it may; else says the exact command and ends.
packages_ensure() {
    command -v dpkg-query >/dev/null || die "This is not Debian; install what $* list, then try again."
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "${missing% }" ] || return 0
    say "Debian packages that are missing: $missing"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        die "Please run:  sudo apt-get update && sudo apt-get install --no-install-recommends $missing"
    fi
    say "Installing them"
    $as_root apt-get update -qq
    # The choice of words is apt's: no question may be asked here.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        die "The packages could not be installed; try:  apt-get install $missing"
}

# build_program DIR [MESON OPTION]...: configures once, compiles what changed.
build_program() {
    build=$1
    shift
    if [ ! -f "$build/build.ninja" ]; then
        meson setup "$build" "$@" >"$build.log" 2>&1 || { cat "$build.log" >&2; die "The build could not be configured."; }
        rm -f "$build.log"
    fi
    ninja -C "$build" --quiet
}

#!/bin/sh
# build-kernel.sh [--cache DIR] OUT
#
# Compiles a smaller, faster kernel for the guest out of Debian's linux-source package and
# kernel.config, and puts it into OUT: vmlinux, version, id. build.sh prefers it to Debian's own
# kernel when it finds it (--kernel, or a folder "kernel" beside its OUT). Optional: it costs about
# ten minutes of one processor; under emulation a boot then takes about half as long.
#
# Done once: a second run with the same source and configuration does nothing. Compiles at the
# lowest priority, on OSTLER_KERNEL_JOBS processors (1).
#
# Needs, beside guest/packages: bc bison flex libelf-dev libssl-dev make

set -eu
export LC_ALL=C
umask 022
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel.sh"

SOURCE_PACKAGE=linux-source-6.1

usage() {
    die "usage: build-kernel.sh [--cache DIR] OUT"
}

source_wanted() {
    apt-cache show --no-all-versions "$SOURCE_PACKAGE" 2>/dev/null |
        sed -n 's/^Version: //p' | head -n 1
}

# A line of kernel.config that did not survive has a dependency that is missing: an error, or the
# guest would lack the driver silently.
check_config() { # CONFIG
    grep '^CONFIG_' "$here/kernel.config" | while read -r line; do
        grep -qxF "$line" "$1" || die "the kernel does not accept $line"
    done
    sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1/p' "$here/kernel.config" |
        while read -r name; do
            ! grep -q "^$name=" "$1" || die "the kernel insists on $name"
        done
}

# Tells what went wrong in a log and ends.
fail_with() { # LOG TEXT
    tail -n 30 "$1" >&2
    die "$2"
}

configure() { # SOURCE_TREE
    make -s -C "$1" tinyconfig >"$tmp/config.log" 2>&1 ||
        fail_with "$tmp/config.log" "tinyconfig does not work"
    (cd "$1" && scripts/kconfig/merge_config.sh -m .config "$here/kernel.config") \
        >"$tmp/config.log" 2>&1 || fail_with "$tmp/config.log" "kernel.config cannot be merged"
    make -s -C "$1" olddefconfig >"$tmp/config.log" 2>&1 ||
        fail_with "$tmp/config.log" "olddefconfig does not work"
    check_config "$1/.config"
}

# Two builds of one configuration shall be the same bytes.
compile() { # SOURCE_TREE
    KBUILD_BUILD_TIMESTAMP=@1700000000 KBUILD_BUILD_USER=ostler KBUILD_BUILD_HOST=ostler \
        nice -n 19 make -s -C "$1" -j "${OSTLER_KERNEL_JOBS:-1}" vmlinux >"$tmp/compile.log" 2>&1 ||
        fail_with "$tmp/compile.log" "the kernel does not compile"
}

out= cache=
while [ $# -gt 0 ]; do
    case $1 in
        --cache)
            [ $# -ge 2 ] || usage
            cache=$2
            shift
            ;;
        -*) usage ;;
        *)
            [ -z "$out" ] || usage
            out=$1
            ;;
    esac
    shift
done
[ -n "$out" ] || usage
mkdir -p "$(dirname "$out")"
out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
cache=${cache:-$out.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

need_tools apt-cache apt-get dpkg-deb flock make gcc flex bison bc strip readelf xz
exec 9>"$cache/.lock"
flock -n 9 || { say "waiting for another build that uses $cache" && flock 9; }
config_hash=$(sha256sum <"$here/kernel.config" | cut -c1-16)
version=$(source_wanted)
if [ -f "$out/id" ] && [ "$(sed 's/.* //' "$out/id")" = "$config_hash" ] &&
    { [ -z "$version" ] || [ "$(cut -d' ' -f1 "$out/id")" = "$SOURCE_PACKAGE=$version" ]; }; then
    say "up to date: $out"
    exit 0
fi
[ -n "$version" ] || die "apt knows no package $SOURCE_PACKAGE: run apt-get update as root first"

tmp=$(mktemp -d "$(dirname "$out")/.kernel.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' HUP INT TERM
deb=$cache/debs/${SOURCE_PACKAGE}_$version.deb
fetch_package "$SOURCE_PACKAGE=$version" "$deb" || die "cannot get $SOURCE_PACKAGE"
say "unpacking $SOURCE_PACKAGE $version"
dpkg-deb -x "$deb" "$tmp/package"
mkdir "$tmp/source"
tar -C "$tmp/source" --strip-components=1 -xf "$tmp/package/usr/src/$SOURCE_PACKAGE.tar.xz"
rm -rf "$tmp/package"
say "configuring"
configure "$tmp/source"
say "compiling (about ten minutes of one processor)"
compile "$tmp/source"
mkdir "$tmp/made"
strip -s -o "$tmp/made/vmlinux" "$tmp/source/vmlinux"
chmod 644 "$tmp/made/vmlinux"
check_pvh "$tmp/made/vmlinux"
cat "$tmp/source/include/config/kernel.release" >"$tmp/made/version"
echo "$SOURCE_PACKAGE=$version $config_hash" >"$tmp/made/id"
rm -rf "$out"
mv -T "$tmp/made" "$out"
say "done: $out (kernel $(cat "$out/version"))"

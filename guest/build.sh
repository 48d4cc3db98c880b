#!/bin/sh
# build.sh [--cache DIR] [--kernel DIR] [--prune] OUT
#
# Makes the small default guest image in the folder OUT: vmlinux, initramfs.cpio, root.qcow2 and
# image.json, which describes them. Needs no root, mounts nothing, installs nothing, and does
# nothing when its inputs are unchanged. README.md says what is inside.
#
#   --cache DIR   downloaded packages and unpacked kernels        (OUT/.cache)
#   --kernel DIR  a kernel made by build-kernel.sh, if finished   (kernel, beside OUT)
#   --prune       also remove the versions that OUT/current no longer means
#
# OUT/versions/KEY holds one build, where KEY is a hash of all that went into it and never changes
# meaning. image.json names files there, so who reads it once has three that belong together, and a
# disk made over that root.qcow2 stays right after a rebuild. The four names in OUT lead through the
# link OUT/current, whose replacement is the one moment of change.

set -eu
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin # Debian has mke2fs, depmod and others there, and ordinary users have it not in theirs
umask 022
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel.sh"

DISK_GIB=1
CMDLINE='console=ttyS0 quiet reboot=t panic=-1 ostler.root=/dev/vda'
PRODUCTS='vmlinux initramfs.cpio root.qcow2 image.json'
FIXED_TIME=1700000000 # of every file in the image, so that equal inputs give equal bytes

usage() {
    die "usage: build.sh [--cache DIR] [--kernel DIR] [--prune] OUT"
}

# All that decides the result: our sources, the programs that are copied in, the kernel.
inputs() {
    cat "$kernel/id"
    find "$here/build.sh" "$here/kernel.sh" "$here/init" "$here/rootfs" -type f | sort |
        xargs sha256sum | sed "s,$here/,,"
    dropbear_files | xargs stat -L -c '%n %s %Y' /bin/busybox
    dpkg-query -W -f '${Package} ${Version}\n' musl-dev gcc 2>/dev/null || :
}

dropbear_files() {
    echo /usr/sbin/dropbear
    echo /usr/bin/dropbearkey
    ldd /usr/sbin/dropbear | grep -o '/[^ ]*'
}

compile_init() { # FILE
    if command -v musl-gcc >/dev/null; then
        # musl-gcc hides the kernel's headers together with glibc's: give those back, last.
        set -- "$1" musl-gcc -idirafter /usr/include -idirafter "/usr/include/$(gcc -dumpmachine)"
    else
        set -- "$1" gcc
    fi
    out_file=$1
    shift
    "$@" -std=gnu17 -D_GNU_SOURCE -Os -static -s -Wall -Wextra -o "$out_file" "$here"/init/*.c
}

make_tree() { # FOLDER
    mkdir -p "$1/bin" "$1/sbin" "$1/usr/bin" "$1/usr/sbin" "$1/dev" "$1/proc" "$1/sys" "$1/run" \
        "$1/tmp" "$1/root" "$1/var/log" "$1/var/lib" "$1/lib"
    cp -R "$here/rootfs/." "$1/"
    compile_init "$1/sbin/init"
    cp /bin/busybox "$1/bin/busybox"
    /bin/busybox --list-full | while read -r applet; do
        case $applet in
            sbin/init | linuxrc | bin/busybox) continue ;;
        esac
        mkdir -p "$1/${applet%/*}"
        ln -s /bin/busybox "$1/$applet"
    done
    dropbear_files | while read -r file; do
        mkdir -p "$1${file%/*}"
        cp -L "$file" "$1$file"
    done
    # What the user's umask or rootfs/ may have made of the modes.
    find "$1" -type d -exec chmod 755 {} +
    find "$1/etc" -type f -exec chmod 644 {} +
    chmod 1777 "$1/tmp"
    chmod 700 "$1/root"
}

# Without what only the disk needs: each file costs a boot time to unpack and to free again.
make_initramfs() { # TREE FILE
    find "$1" -type l -delete
    dropbear_files | while read -r file; do
        rm "$1$file"
    done
    find "$1" -mindepth 1 -type d -empty -delete
    mkdir -p "$1/dev" "$1/proc" "$1/sys" "$1/run" "$1/tmp" "$1/root" "$1/lib" "$1/usr/bin" "$1/usr/sbin"
    ln -s sbin/init "$1/init"
    if [ -f "$kernel/modules.list" ]; then
        cp -R "$kernel/modules" "$1/lib/modules"
        cp "$kernel/modules.list" "$1/etc/modules.list"
    fi
    find "$1" -exec touch -h -d "@$FIXED_TIME" {} +
    (cd "$1" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet) >"$2"
}

# Commands for debugfs that build the tree. mke2fs -d would take owner, times and order from the
# files here; so they belong to root whoever builds, and equal inputs give an equal disk.
debugfs_script() { # TREE
    find "$1" -mindepth 1 -printf '%P %y %m %l\n' | sort | while read -r path type mode target; do
        name=${path##*/}
        folder=/${path%"$name"}
        # mkdir, write and symlink take a name in the current folder, not a path.
        echo "cd /" && [ "$folder" = / ] || echo "cd ${folder%/}"
        case $type in
            d) echo "mkdir $name" && echo "set_inode_field $name mode $((040000 | 0$mode))" ;;
            f) echo "write $1/$path $name" ;;
            l) echo "symlink $name $target" ;;
        esac
    done
}

make_disk() { # TREE FILE UUID
    truncate -s "${DISK_GIB}G" "$tmp/root.raw"
    mke2fs -q -F -t ext4 -b 4096 -m 0 -L ostler-root -U "$3" -J size=8 \
        -O ^metadata_csum_seed,^orphan_file \
        -E "hash_seed=$3,root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1,nodiscard" \
        "$tmp/root.raw"
    debugfs_script "$1" >"$tmp/script"
    debugfs -w -f "$tmp/script" "$tmp/root.raw" >"$tmp/debugfs.log" 2>"$tmp/debugfs.errors"
    # debugfs always ends with success; beside its version it says only what went wrong.
    if grep -m 5 -v '^debugfs [0-9]' "$tmp/debugfs.errors" >&2; then
        die "debugfs could not fill the disk"
    fi
    e2fsck -fn "$tmp/root.raw" >"$tmp/e2fsck.log" 2>&1 || {
        cat "$tmp/e2fsck.log" >&2
        die "the new disk is not clean"
    }
    qemu-img convert -f raw -O qcow2 "$tmp/root.raw" "$2"
}

describe() { # FOLDER
    cat <<JSON
{
  "name": "ostler-tiny",
  "kernel": "versions/$key/vmlinux",
  "initrd": "versions/$key/initramfs.cpio",
  "disk": "versions/$key/root.qcow2",
  "cmdline": "$CMDLINE",
  "osName": "Ostler Tiny (Debian 12 busybox)",
  "architecture": "x86_64",
  "template": true,
  "minDiskGiB": $DISK_GIB,
  "digest": "sha256:$(sha256sum <"$1/root.qcow2" | cut -d' ' -f1)",
  "kernelVersion": "$(cat "$kernel/version")",
  "version": "$key"
}
JSON
}

build() {
    need_tools cpio debugfs e2fsck gcc ld mke2fs qemu-img
    for file in /bin/busybox /usr/sbin/dropbear; do
        [ -x "$file" ] || die "missing $file (install the packages in $here/packages)"
    done
    uuid=$(echo "$key" | sed 's/^\(.\{8\}\)\(....\).\(...\).\(...\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/')
    export E2FSPROGS_FAKE_TIME=$FIXED_TIME
    new=$tmp/version
    mkdir "$new"
    say "making the system"
    make_tree "$tmp/tree"
    say "making root.qcow2"
    make_disk "$tmp/tree" "$new/root.qcow2" "$uuid"
    say "making initramfs.cpio"
    make_initramfs "$tmp/tree" "$new/initramfs.cpio"
    ln "$kernel/vmlinux" "$new/vmlinux" 2>/dev/null || cp "$kernel/vmlinux" "$new/vmlinux"
    describe "$new" >"$new/image.json"
    chmod 444 "$new/root.qcow2" # disks are made over it
    mkdir -p "$out/versions"
    rm -rf "$out/versions/$key" # a damaged one: a whole one would have been used
    mv -T "$new" "$out/versions/$key"
}

is_whole() { # FOLDER
    for product in $PRODUCTS; do
        [ -s "$1/$product" ] || return 1
    done
}

point_to() { # KEY
    for product in $PRODUCTS; do
        [ -L "$out/$product" ] || ln -sfT "current/$product" "$out/$product"
    done
    ln -s "versions/$1" "$tmp/current"
    mv -T "$tmp/current" "$out/current"
}

remove_temporary() {
    rm -rf "$out"/.build.* "$cache"/.build.*
}

prune() {
    for version in "$out"/versions/*; do
        [ "${version##*/}" = "$key" ] || rm -rf "$version"
    done
}

out= cache= own_kernel= prune=false
while [ $# -gt 0 ]; do
    case $1 in
        --cache | --kernel)
            [ $# -ge 2 ] || usage
            [ "$1" = --cache ] && cache=$2 || own_kernel=$2
            shift
            ;;
        --prune) prune=true ;;
        -*) usage ;;
        *)
            [ -z "$out" ] || usage
            out=$1
            ;;
    esac
    shift
done
[ -n "$out" ] || usage
mkdir -p "$out"
out=$(cd "$out" && pwd)
cache=${cache:-$out/.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
own_kernel=${own_kernel:-${out%/*}/kernel}

need_tools dpkg-deb dpkg-query apt-get apt-cache depmod modprobe strip readelf lz4 xz zstd flock
exec 9>"$out/.lock" 8>"$cache/.lock"
flock -n 9 || { say "waiting for another build in $out" && flock 9; }
flock -n 8 || { say "waiting for another build that uses $cache" && flock 8; }
remove_temporary # left by a build that was killed: both locks are ours
trap remove_temporary EXIT
trap 'exit 130' HUP INT TERM

if [ -f "$own_kernel/id" ] && [ -f "$own_kernel/vmlinux" ]; then
    kernel=$(cd "$own_kernel" && pwd)
else
    tmp=$(mktemp -d "$cache/.build.XXXXXX") # beside its result, to be renamed
    find_debian_kernel
fi
tmp=$(mktemp -d "$out/.build.XXXXXX")
key=$(inputs | sha256sum | cut -c1-32)
if [ "$(readlink "$out/current" || :)" = "versions/$key" ] && is_whole "$out"; then
    say "up to date: $out"
elif is_whole "$out/versions/$key"; then
    point_to "$key"
    say "back to version $key: $out"
else
    build
    point_to "$key"
    say "done: $out (kernel $(cat "$kernel/version"))"
fi
! $prune || prune

# Sourced by build.sh and build-kernel.sh: the default kernel, out of Debian's package.
#
# Makes a "kernel folder": vmlinux (an ELF that starts by PVH), version, id, and for a kernel with
# drivers as modules also modules/ and modules.list in load order. Only finished ones ever have
# their final name.

KERNEL_META=linux-image-cloud-amd64

say() {
    printf 'guest: %s\n' "$*"
}

die() {
    printf 'guest: %s\n' "$*" >&2
    exit 1
}

need_tools() {
    missing=
    for tool; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || die "missing programs:$missing (install the packages in $here/packages)"
}

# What apt knows may have changed when this text has. Asking apt itself takes most of a second.
apt_lists_state() {
    stat -c '%n %s %Y' /var/lib/apt/lists/*_Packages* 2>/dev/null | sha256sum | cut -d' ' -f1
}

# "package=version" of the kernel that Debian's meta-package means today; empty if apt has no lists.
kernel_wanted() {
    apt-cache show --no-all-versions "$KERNEL_META" 2>/dev/null |
        sed -n 's/^Depends: \(linux-image-[^ ,]*\) (= \([^)]*\)).*/\1=\2/p' | head -n 1
}

fetch_package() { # PACKAGE=VERSION FILE
    [ ! -f "$2" ] || return 0
    say "downloading $1"
    mkdir -p "$tmp/download" "${2%/*}"
    (cd "$tmp/download" && apt-get -qq -o APT::Sandbox::User=root download "$1") || return 1
    mv "$tmp/download/"*.deb "$2"
}

number_at() { # FILE OFFSET BYTES
    od -An "-tu$3" "-j$2" "-N$3" "$1" | tr -d ' '
}

first_bytes() { # FILE
    od -An -tx1 -N4 "$1" | tr -d ' \n'
}

check_pvh() { # VMLINUX
    [ "$(first_bytes "$1")" = 7f454c46 ] || die "$1 is no ELF file"
    readelf -n "$1" 2>/dev/null | grep -A1 '^ *Xen ' | grep -q 0x00000012 ||
        die "$1 has no PVH entry note"
}

# The kernel inside a bzImage: at (setup sectors + 1) * 512 + payload_offset, payload_length long,
# by the x86 boot protocol. All formats but gzip end with the unpacked size in four bytes.
extract_vmlinux() { # BZIMAGE VMLINUX
    at=$((($(number_at "$1" 497 1) + 1) * 512 + $(number_at "$1" 584 4)))
    length=$(number_at "$1" 588 4)
    tail -c +$((at + 1)) "$1" | head -c "$length" >"$tmp/payload"
    case $(first_bytes "$tmp/payload") in
        1f8b*) unpack='gzip -dc' ;;
        425a68*) unpack='bzip2 -dc' ;;
        28b52ffd) unpack='zstd -dcq' ;;
        02214c18) unpack='lz4 -dcq' ;;
        fd377a58) unpack='xz -dc' ;;
        *) die "$1: unknown compression" ;;
    esac
    if [ "$unpack" = 'gzip -dc' ]; then
        $unpack "$tmp/payload" >"$2"
    else
        size=$(number_at "$tmp/payload" $((length - 4)) 4)
        head -c $((length - 4)) "$tmp/payload" | $unpack >"$2"
        [ "$(stat -c %s "$2")" = "$size" ] || die "$1: the payload is damaged"
    fi
    check_pvh "$2"
    rm "$tmp/payload"
}

# Copies the wanted modules and what they depend on; stripping drops debug data and signatures,
# which nobody checks and which would only cost time at each boot.
copy_modules() { # KERNEL_TREE VERSION FOLDER
    depmod -b "$1" "$2"
    mkdir "$3/modules"
    grep -v '^#' "$here/modules" | while read -r name; do
        optional=${name%"${name#-}"}
        name=${name#-}
        modprobe -d "$1" -S "$2" --show-depends "$name" 2>/dev/null >"$tmp/needs" ||
            [ -n "$optional" ] || die "the kernel has no module $name"
        sed -n 's/^insmod \([^ ]*\).*/\1/p' "$tmp/needs"
    done >"$tmp/insert"
    awk '!seen[$0]++' "$tmp/insert" | while read -r file; do
        strip --strip-debug -o "$3/modules/${file##*/}" "$file"
        echo "/lib/modules/${file##*/}"
    done >"$3/modules.list"
    [ -s "$3/modules.list" ] || die "no modules found"
}

make_debian_kernel() { # PACKAGE=VERSION FOLDER DEB
    package=${1%%=*}
    version=${package#linux-image-}
    say "unpacking $package"
    dpkg-deb -x "$3" "$tmp/kernel"
    mkdir "$tmp/made"
    say "decompressing vmlinux"
    extract_vmlinux "$tmp/kernel/boot/vmlinuz-$version" "$tmp/made/vmlinux"
    say "collecting its drivers"
    copy_modules "$tmp/kernel" "$version" "$tmp/made"
    echo "$version" >"$tmp/made/version"
    echo "$1" >"$tmp/made/id"
    mkdir -p "${2%/*}"
    mv -T "$tmp/made" "$2"
    rm -rf "$tmp/kernel"
}

# Sets `kernel` to the kernel folder to use: Debian's current one, made when it is not in the cache
# yet; the one used last when apt or the network is not there.
find_debian_kernel() {
    modules_hash=$(sha256sum <"$here/modules" | cut -c1-8)
    state="$(apt_lists_state) $modules_hash"
    kernel=$(cat "$cache/kernel.used" 2>/dev/null) || kernel=
    [ -z "$kernel" ] || [ -f "$cache/$kernel/vmlinux" ] || kernel=
    if [ -n "$kernel" ] && [ "$(cat "$cache/kernel.state" 2>/dev/null)" = "$state" ]; then
        kernel=$cache/$kernel
        return
    fi
    wanted=$(kernel_wanted)
    [ -n "$wanted" ] || [ -n "$kernel" ] ||
        die "apt knows no package $KERNEL_META: run apt-get update as root first"
    # Without lists the modules may still have changed: the same package again, from the cache.
    [ -n "$wanted" ] || wanted=$(cat "$cache/$kernel/id")
    made=kernels/${wanted#linux-image-}_$modules_hash
    deb=$cache/debs/${wanted%%=*}_${wanted#*=}.deb
    if [ ! -f "$cache/$made/vmlinux" ]; then
        if fetch_package "$wanted" "$deb"; then
            make_debian_kernel "$wanted" "$cache/$made" "$deb"
        elif [ -n "$kernel" ]; then
            say "cannot get $wanted: going on with ${kernel##*/}"
            kernel=$cache/$kernel
            return
        else
            die "cannot get $wanted"
        fi
    fi
    write_whole "$made" "$cache/kernel.used"
    write_whole "$state" "$cache/kernel.state"
    kernel=$cache/$made
}

write_whole() { # TEXT FILE
    printf '%s\n' "$1" >"$2.new"
    mv -T "$2.new" "$2"
}

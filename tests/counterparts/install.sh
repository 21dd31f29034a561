#!/bin/sh
# Installs the programs that the tests need: with apt as root on Debian and its kin, else says what to install.
set -eu

missing=""
want() { # program package
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
want docker-registry docker-registry
want skopeo skopeo
want podman podman
want bsdtar libarchive-tools
want openssl openssl
want curl curl
want mkfs.vfat dosfstools
want mkfs.xfs xfsprogs
want mkfs.btrfs btrfs-progs
want nginx nginx-light
want dockerd docker.io
want runc runc
want ctr containerd
want ip iproute2
want systemd-analyze systemd
want logrotate logrotate
want wrk wrk
want javac openjdk-17-jdk-headless
want mvn maven
want node nodejs
want npm npm

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing for the tests:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "The tests that need them will be SKIPPED. To run all, install:$missing" >&2
fi

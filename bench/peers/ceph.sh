#!/usr/bin/env bash
# Pelago's own script, Apache-2.0 like the rest. Ceph itself comes from Debian and stays under its own licences.
# A real Ceph RADOS Gateway on loopback: one monitor, one manager, one OSD, one gateway.
# It serves as an S3 provider behind Pelago, as a conformance peer, and as the yardstick of bench/.
#
#   ceph.sh up [DIR]     install Debian's packages if missing, start, print S3_ENDPOINT, S3_ACCESS_KEY, S3_SECRET_KEY
#   ceph.sh env [DIR]    print those lines again
#   ceph.sh down [DIR]   stop what 'up' started (by recorded pid) and delete DIR
#
# OSDS=6 starts six OSDs and codes the data 4+2 over them, as Pelago does; one OSD keeps one copy (default).
# DIR defaults to ${TMPDIR:-/tmp}/ceph-peer. STORE=memstore keeps objects in memory (default: bluestore, a sparse file of 16 GiB).
# Ports: PORT (default 28000) for S3, PORT+1 and PORT+2 for the monitor. Needs root. Up in about 20 s.
set -euo pipefail
verb=${1:-up}; dir=${2:-${TMPDIR:-/tmp}/ceph-peer}; port=${PORT:-28000}; osds=${OSDS:-1}
conf=$dir/ceph.conf

environment() { cat "$dir/s3.env"; }

down() {
  [ -d "$dir" ] || return 0
  for pid_file in "$dir"/run/*.pid; do
    [ -e "$pid_file" ] && kill "$(cat "$pid_file")" 2>/dev/null || true
  done
  sleep 2
  for pid_file in "$dir"/run/*.pid; do
    [ -e "$pid_file" ] && kill -9 "$(cat "$pid_file")" 2>/dev/null || true
  done
  rm -rf "$dir"
}

install() {
  command -v radosgw >/dev/null && command -v ceph-osd >/dev/null && command -v ceph-mgr >/dev/null && command -v ceph-mon >/dev/null && return
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d   # no service starts by itself
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ceph-mon ceph-osd ceph-mgr radosgw >/dev/null
  rm -f /usr/sbin/policy-rc.d
}

up() {
  install
  [ -e "$dir/s3.env" ] && { echo "already up in $dir (ceph.sh down first)" >&2; exit 1; }
  mkdir -p "$dir"/{mon,mgr/x,rgw,run,log,crash}
  for ((n = 0; n < osds; n++)); do mkdir -p "$dir/osd.$n"; done
  local fsid; fsid=$(cat /proc/sys/kernel/random/uuid)
  cat > "$conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$((port+1))/0,v1:127.0.0.1:$((port+2))/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 1
mon max pg per osd = 500
run dir = $dir/run
pid file = $dir/run/\$name.pid
admin socket = $dir/run/\$name.asok
log file = $dir/log/\$name.log
mon cluster log file = $dir/log/cluster.log
crash dir = $dir/crash
keyring = $dir/keyring
[mon.a]
host = localhost
mon data = $dir/mon/a
[mgr.x]
mgr data = $dir/mgr/x
[osd]
host = localhost
osd data = $dir/osd.\$id
osd objectstore = ${STORE:-bluestore}
bluestore block size = 17179869184
bluestore block create = true
osd memory target = 1073741824
memstore device bytes = 4294967296
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw dns name = localhost
rgw data = $dir/rgw
CONF
  local c=(-c "$conf") key="$dir/keyring"
  {
    ceph-authtool --create-keyring "$key" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$key" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
    monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$((port+1)),v1:127.0.0.1:$((port+2))]" "$dir/monmap"
    ceph-mon "${c[@]}" --mkfs -i a --monmap "$dir/monmap" --keyring "$key"
    ceph-mon "${c[@]}" -i a --keyring "$key"
    local names=(mgr.x client.rgw.a) name n osd_id
    for ((n = 0; n < osds; n++)); do names+=("osd.$n"); done
    for name in "${names[@]}"; do
      timeout 60 ceph "${c[@]}" auth get-or-create $name mon 'allow *' osd 'allow *' mgr 'allow *' > "$dir/one.key"
      cat "$dir/one.key" >> "$key"
    done
    ceph-mgr "${c[@]}" -i x
    for ((n = 0; n < osds; n++)); do
      osd_id=$(cat /proc/sys/kernel/random/uuid)
      timeout 60 ceph "${c[@]}" osd new "$osd_id"
      ceph-osd "${c[@]}" -i "$n" --mkfs --osd-uuid "$osd_id"
      ceph-osd "${c[@]}" -i "$n"
      timeout 60 ceph "${c[@]}" osd crush add "osd.$n" 1.0 host=localhost root=default
    done
    if [ "$osds" -ge 6 ]; then
      timeout 60 ceph "${c[@]}" osd erasure-code-profile set code k=4 m=2 crush-failure-domain=osd
      timeout 60 ceph "${c[@]}" osd pool create default.rgw.buckets.data 8 8 erasure code
      timeout 60 ceph "${c[@]}" osd pool application enable default.rgw.buckets.data rgw
    fi
    radosgw "${c[@]}" -n client.rgw.a
  } > "$dir/log/up.log" 2>&1 || { tail -20 "$dir/log/up.log" >&2; echo "Ceph did not start; logs in $dir/log" >&2; exit 1; }
  local answered=
  for _ in $(seq 90); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then answered=yes; break; fi
    sleep 1
  done
  [ -n "$answered" ] || { echo "RGW does not answer on 127.0.0.1:$port; logs in $dir/log" >&2; exit 1; }
  timeout 60 radosgw-admin "${c[@]}" user create --uid=peer --display-name=peer \
    --access-key=PEERACCESSKEY0000001 --secret-key=peersecretkey00000000000000000000000001 > "$dir/log/user.json" 2>> "$dir/log/up.log"
  printf 'S3_ENDPOINT=http://127.0.0.1:%s\nS3_ACCESS_KEY=PEERACCESSKEY0000001\nS3_SECRET_KEY=peersecretkey00000000000000000000000001\n' "$port" > "$dir/s3.env"
  environment
}

case $verb in
  up) up ;;
  env) environment ;;
  down) down ;;
  *) echo "usage: ceph.sh up|env|down [DIR]" >&2; exit 2 ;;
esac

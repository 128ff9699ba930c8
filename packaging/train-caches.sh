#!/usr/bin/env bash
# Makes the start-up caches (JDK AOT caches) of a built tree by running each program through its usual
# work once: an etcd, an agent with a container that comes and goes, netctl's commands, and a BGP speaker
# with a real load, all inside namespaces of their own. A program whose cache cannot be made
# starts without one, slower.
#
# usage: train-caches.sh TREE LAB-CLASS-PATH
set -euo pipefail

tree=$(readlink -f "$1")
lab_class_path=$2
if [ "${3:-}" != inside ]; then
  if [ "$(id -u)" != 0 ] || ! command -v etcd >/dev/null; then
    echo "train-caches: making start-up caches needs root and etcd" >&2
    exit 1
  fi
  # A PID namespace, so that whatever happens nothing outlives this script.
  exec unshare --net --mount --pid --fork --kill-child "$0" "$tree" "$lab_class_path" inside
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add uplink type veth peer name tor
ip link set uplink up
ip link set tor up
ip address add 192.0.2.1/24 dev uplink

wait_for() { # seconds, what, command…
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge "$end" ]; then
      echo "train-caches: $what did not come; the logs:" >&2
      tail -n 20 "$work"/*.log >&2
      exit 1
    fi
    read -rt 0.1 <> <(:) || :
  done
}

etcd --data-dir "$work/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 >"$work/etcd.log" 2>&1 &
etcd=$!
wait_for 20 etcd etcdctl endpoint health

export WAYLEAVE_DATASTORE=etcd://127.0.0.1:2379 WAYLEAVE_ADMIN_SOCKET=/run/wayleave/admin.sock
netctl=$tree/bin/netctl

WAYLEAVE_NODE_NAME=trainer WAYLEAVE_IPV4_ADDRESS=192.0.2.1 WAYLEAVE_STATE_DIR=$work/state \
  WAYLEAVE_AGENT_SOCKET=/run/wayleave/agent.sock WAYLEAVE_AOT_OUTPUT=$work/wayleave-agent.aot \
  "$tree/bin/wayleave-agent" >"$work/agent.log" 2>&1 &
agent=$!
wait_for 60 "the agent" test -S /run/wayleave/agent.sock

"$netctl" pool create training --cidr 198.51.100.0/24
"$netctl" peer create training --address 192.0.2.2 --as 64500

unshare --net sleep 120 &
container=$!
has_its_own_namespace() { [ "$(readlink "/proc/$container/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 10 "the container" has_its_own_namespace
cni() {
  printf '%s' "{\"cniVersion\":\"1.0.0\",\"name\":\"training\",\"type\":\"wayleave\",\"spoolDir\":\"$work/state/spool\"}" |
    CNI_COMMAND=$1 CNI_CONTAINERID=training CNI_NETNS=/proc/$container/ns/net CNI_IFNAME=eth0 CNI_PATH=$tree/cni \
      "$tree/cni/wayleave"
}
cni ADD >"$work/add.log" || {
  tail -n 20 "$work/add.log" "$work/agent.log" >&2
  exit 1
}
cni DEL

# One process that goes through the commands, with the options that bin/netctl starts Java with.
WAYLEAVE_AOT_OUTPUT=$work/netctl.aot WAYLEAVE_MAIN=io.wayleave.ctl.CacheTraining "$netctl" >"$work/netctl.log" 2>&1 || {
  cat "$work/netctl.log" >&2
  exit 1
}

# The speaker gets a table and passes it on to 50 peers, so that its cache has the profiles of the
# methods that matter then: a benchmark's load, and its first in a new process takes a fourth less CPU.
WAYLEAVE_HOME=$tree WAYLEAVE_AOT_OUTPUT=$work/wayleave-bgp.aot "${JAVA_HOME:?}/bin/java" -XX:+UseSerialGC \
  --enable-native-access=ALL-UNNAMED -cp "$lab_class_path" io.wayleave.test.bench.BgpBench \
  --speaker wayleave --shape a --scale 0.3 >"$work/bgp.log" 2>&1 || {
  cat "$work/bgp.log" >&2
  exit 1
}

end_program() { # process, log
  kill -TERM "$1"
  wait "$1" || [ $? = 143 ] || { tail -n 40 "$2" >&2; exit 1; } # 143: ended by SIGTERM
}
end_program $agent "$work/agent.log"
kill $container $etcd
for cache in wayleave-agent wayleave-bgp netctl; do
  [ -s "$work/$cache.aot" ] || { echo "train-caches: no cache of $cache was written" >&2; exit 1; }
  mv "$work/$cache.aot" "$tree/lib/$cache.aot"
done

# Times ADD and DEL of two CNI plugins in turns, each as a whole process, in the network namespace that
# this runs in. Prints lines "PLUGIN VERB MICROSECONDS". Arguments: rounds, run id, Wayleave's plugin
# folder and configuration file, the reference plugins' folder and configuration file.
set -eu
rounds=$1 id=$2
trap 'for p in wayleave reference; do ip netns delete "$id-$p" 2>/dev/null || :; done' EXIT

call() { # plugin name, verb, folder, type, configuration file
  local begin end
  begin=${EPOCHREALTIME/./}
  CNI_COMMAND=$2 CNI_CONTAINERID=$id-$1 CNI_NETNS=/run/netns/$id-$1 CNI_IFNAME=eth0 CNI_PATH=$3 "$3/$4" <"$5" >/dev/null
  end=${EPOCHREALTIME/./}
  echo "$1 $2 $((end - begin))"
}

for ((round = 0; round < rounds; round++)); do
  for plugin in wayleave reference; do ip netns add "$id-$plugin"; done
  for verb in ADD DEL; do
    call wayleave $verb "$3" wayleave "$4"
    call reference $verb "$5" ptp "$6"
  done
  for plugin in wayleave reference; do ip netns delete "$id-$plugin"; done
done

# The first process of a lab host, started in the host's network namespace and in fresh mount and pid
# namespaces. Whatever runs in the host dies with this process, and its mounts go with it: nothing of
# a host has to be found and undone one by one.
#
# Arguments: the host's folder, the lab's folder.
set -e
host=$1
lab=$2

# Copies of other hosts' namespaces must not be kept alive from here.
umount -l -R /run/netns 2>/dev/null || true

# What runtimes and plugins write at fixed places is the host's own, and in memory.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /opt/cni/bin
mount --bind "$host/cni/bin" /opt/cni/bin
mount --bind "$host/cni" /etc/cni

# /var/lib likewise, with the lab's folder at its usual place inside, whether it lies there or not.
case $lab in
/var/lib/*)
  mount --rbind "$lab" /mnt
  mount -t tmpfs -o mode=755 tmpfs /var/lib
  mkdir -p "$lab"
  mount --move /mnt "$lab"
  ;;
*)
  mount -t tmpfs -o mode=755 tmpfs /var/lib
  ;;
esac

touch "$host/ready"
# The shell collects every orphan of the host while it waits.
sleep infinity &
wait

#!/usr/bin/env bash
# Puts the runnable tree together in target/wayleave/ from what Maven has built, makes the start-up
# caches by running each program once, and packs the tree. Called by ./dev build.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

version=$(sed -n 's:^  <version>\(.*\)</version>:\1:p' pom.xml | head -1)
tree=$PWD/target/wayleave
rm -rf "$tree"
mkdir -p "$tree"/bin "$tree"/cni "$tree"/lib "$tree"/etc

# A program's class path: its module's jar and what the module depends on, in Maven's order. The
# caches hold only for exactly this order, so it is written down once and read at each start.
class_path() { # module, program
  local jar
  {
    echo "$PWD/$1/target/$1-$version.jar"
    tr ':' '\n' <"$1/target/classpath.txt"
    echo # Maven ends the file without one, and read would drop the last jar.
  } | while read -r jar; do
    [ -n "$jar" ] || continue
    # -p keeps the time of change, which the caches check.
    [ -e "$tree/lib/$(basename "$jar")" ] || cp -p "$jar" "$tree/lib/"
    basename "$jar"
  done >"$tree/lib/$2.classpath"
}
class_path agent wayleave-agent
class_path bgp-speaker wayleave-bgp
class_path ctl netctl

cp packaging/bin/* "$tree/bin/"
chmod 755 "$tree"/bin/*
cp packaging/etc/* "$tree/etc/"
cp packaging/lib/launch.sh "$tree/lib/"
cp -p cni/target/wayleave "$tree/cni/wayleave"
printf '%s\n' "$version" >"$tree/lib/VERSION"

# The lab is run from here and is no part of the tree.
echo "$PWD/test/target/test-$version.jar:$(cat test/target/classpath.txt)" >target/lab.classpath

packaging/train-caches.sh "$tree" "$(cat target/lab.classpath)" || {
  rm -f "$tree"/lib/*.aot
  echo "assemble: no start-up caches; programs start without them, slower" >&2
}

tar -C target -czf "target/wayleave-$version.tar.gz.part" --transform "s:^wayleave:wayleave-$version:" wayleave
mv "target/wayleave-$version.tar.gz.part" "target/wayleave-$version.tar.gz"

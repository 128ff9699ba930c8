# Sourced by the programs in bin/: finds a JDK or JRE and starts Java in this process's place.

lib=${BASH_SOURCE[0]%/*}

java_of() { # folder: its java, when it is new enough. The release file answers faster than java does.
  local line
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  while read -r line; do
    case $line in
      JAVA_VERSION=*)
        line=${line#*\"}
        [ "${line%%[.\"-]*}" -ge 25 ] && java=$1/bin/java
        return
        ;;
    esac
  done <"$1/release"
  return 1
}

find_java() {
  local dir
  if [ -n "${JAVA_HOME:-}" ] && java_of "$JAVA_HOME"; then return; fi
  for dir in /usr/lib/jvm/*; do
    java_of "$dir" && return
  done
  echo "${0##*/}: no Java 25 or newer: JAVA_HOME is '${JAVA_HOME:-}' and /usr/lib/jvm has none; install one there or set JAVA_HOME" >&2
  exit 1
}

# launch PROGRAM MAIN-CLASS JVM-OPTION… -- ARGUMENT…
launch() {
  local program=$1 main=$2 options=() class_path='' jar
  shift 2
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  find_java
  while read -r jar; do
    class_path+=${class_path:+:}$lib/$jar
  done <"$lib/$program.classpath"
  # WAYLEAVE_AOT_OUTPUT and WAYLEAVE_MAIN are for making the caches, see packaging/train-caches.sh.
  # A cache that is missing or does not fit is not worth a word on stdout, where JSON may be expected.
  if [ -n "${WAYLEAVE_AOT_OUTPUT:-}" ]; then
    options+=("-XX:AOTCacheOutput=$WAYLEAVE_AOT_OUTPUT")
  elif [ -e "$lib/$program.aot" ]; then
    options+=("-XX:AOTCache=$lib/$program.aot")
  fi
  # shellcheck disable=SC2086 # JAVA_OPTS is a list of words
  exec "$java" -Xlog:disable -Xlog:all=error:stderr "${options[@]}" --enable-native-access=ALL-UNNAMED \
    --sun-misc-unsafe-memory-access=allow ${WAYLEAVE_JAVA_OPTS:-} -cp "$class_path" "${WAYLEAVE_MAIN:-$main}" "$@"
}

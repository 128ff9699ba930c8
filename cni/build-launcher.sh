#!/bin/sh
# Compiles the CNI launcher to $1. Static: the runtime executes it in mount namespaces of its own choice,
# where a libc need not be.
set -eu
cd "$(dirname "$0")/src/main/c"
mkdir -p "$(dirname "$1")"
exec "${CC:-gcc}" -std=c17 -O2 -Wall -Wextra -Werror -static -o "$1" ./*.c

# Completion of netctl for bash: source this file, or put it into /etc/bash_completion.d/.
command -v netctl >/dev/null && source <(netctl completion 2>/dev/null)

# Makes the project's Python environments; sourced by the scripts beside it. Speaks on stderr only: stdout
# belongs to results.

root=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")

say() {
  printf '%s\n' "$*" >&2
}

# The environment $1 (.venv) holds exactly what the lock $2 (requirements.lock) names, and its set-up came to
# its end.
is_ready() {
  [ -x "$root/$1/bin/python" ] && cmp -s -- "$root/$2" "$root/$1/installed.lock"
}

# Makes the environment $1 from the lock $2 where it is not ready; of several at once, one works and the
# others wait.
make_environment() {
  is_ready "$1" "$2" && return
  [ -w "$root" ] || { say "$root is not writable for $(id -un); run the set-up as its owner."; return 1; }
  (
    exec 9>>"$root/.setup.lock"
    ! command -v flock >/dev/null || flock 9
    is_ready "$1" "$2" || build_environment "$1" "$2"
  )
}

# Starts anew, so that what an interrupted set-up or an older lock left cannot stay; the last step marks the
# end.
build_environment() {
  local python
  python=$(find_python) || return 1
  need_venv_module "$python" || return 1
  say "Setting up $1 (once, a minute or two) ..."
  "$python" -I -m venv --clear -- "$root/$1" >&2 9>&- || {
    say "$1 could not be made with $python; see above."
    return 1
  }
  PIP_USER=0 "$root/$1/bin/python" -I -m pip install -qq --no-input --disable-pip-version-check \
    --require-hashes --only-binary=:all: --requirement "$root/$2" >&2 9>&- || {
    say "The packages of $2 could not be installed; see above, and run this again."
    return 1
  }
  install_package "$root/$1"
  cp -- "$root/$2" "$root/$1/installed.lock.new"
  mv -- "$root/$1/installed.lock.new" "$root/$1/installed.lock"
}

# The package itself needs no build: a relative path file, which survives that the checkout is moved, and the
# command.
install_package() {
  printf '../../../..\n' >"$(echo "$1"/lib/python3*/site-packages)/live_dashboards.pth"
  cat >"$1/bin/live-dashboards" <<'COMMAND'
#!/bin/sh
exec "$(dirname -- "$(readlink -f -- "$0")")/python" -P -m live_dashboards "$@"
COMMAND
  chmod +x -- "$1/bin/live-dashboards"
}

# The first usable interpreter, by the name that holds its version: when the system's Python moves on, the
# environment is made anew.
find_python() {
  local name
  for name in python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
    "$name" -I -c 'import os, sys
if not (3, 11) <= sys.version_info[:2] <= (3, 14): sys.exit(1)
print(os.path.realpath(sys.executable))' 2>/dev/null && return
  done
  say "Python 3.11 to 3.14 is needed and none was found; install one" \
    "(Debian 12 or newer, Ubuntu 24.04 or newer: apt-get install python3 python3-venv)."
  return 1
}

need_venv_module() {
  local package
  "$1" -I -c 'import venv; from ensurepip import version' 2>/dev/null && return
  package=$("$1" -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  install_packages "$package" && "$1" -I -c 'import venv; from ensurepip import version' && return
  say "$1 cannot make environments; install the package $package" \
    "(as root: apt-get install $package), then run this again."
  return 1
}

# Installs Debian packages where that is allowed; their services are kept from starting, since nothing here
# uses them.
install_packages() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "Installing $* with apt-get ..."
  (
    export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" LC_ALL=C.UTF-8
    hold_services
    apt_install "$@" >/dev/null 2>&1 && exit
    apt-get update </dev/null >/dev/null 2>&1 # where it fails, the lists that are there may do
    apt_install "$@" >&2
  )
}

apt_install() {
  apt-get install -qq --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Debian's switch for "start nothing now"; one that is there already stays as it is.
hold_services() {
  local policy=/usr/sbin/policy-rc.d
  [ ! -e "$policy" ] || return 0
  trap "rm -f -- $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
}

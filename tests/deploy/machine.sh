#!/bin/sh
# Runs a command as an image or a service would: machine.sh STAGE ROOT PYTHON USER PROC COMMAND..., in a mount namespace that it may change.
# STAGE holds what is written (state, cache), the secrets of the run (run) and the settings file of a checkout, if any. All else is read-only.
set -eu
stage=$1 root=$2 python=$3 user=$4 proc=$5
shift 5

# Everything that is needed lies below /mnt first, since the folders it comes from are covered next.
mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir /mnt/root /mnt/python /mnt/state /mnt/cache /mnt/run
mount --rbind "$root" /mnt/root
mount --rbind "$python" /mnt/python
mount --bind "$stage/state" /mnt/state
mount --bind "$stage/cache" /mnt/cache
cp -a "$stage/run/." /mnt/run
[ ! -e "$stage/settings" ] || cp "$stage/settings" /mnt/settings

# /opt/live-dashboards is the checkout, or its parts that an image has, without what its owner keeps there.
mount -t tmpfs -o mode=0755 tmpfs /opt
mkdir /opt/live-dashboards
for part in live_dashboards scripts deploy .venv; do
  mkdir "/opt/live-dashboards/$part"
  mount --bind "/mnt/root/$part" "/opt/live-dashboards/$part"
  mount -o remount,bind,ro "/opt/live-dashboards/$part"
done
cp /mnt/root/requirements.lock /mnt/root/.env.live-dashboards.example /opt/live-dashboards
if [ -e /mnt/settings ]; then
  install -m 0600 -o "$user" -g "$user" /mnt/settings /opt/live-dashboards/.env.live-dashboards
fi

mount -t tmpfs -o mode=0755 tmpfs /var/lib
mkdir /var/lib/live-dashboards
mount --bind /mnt/state /var/lib/live-dashboards
mount -t tmpfs -o mode=0755 tmpfs /var/cache
mkdir /var/cache/live-dashboards
mount --bind /mnt/cache /var/cache/live-dashboards
mount -t tmpfs -o mode=0755 tmpfs /run
cp -a /mnt/run/. /run
mount -t tmpfs -o mode=1777,size=64m tmpfs /tmp

# The interpreter behind .venv may lie in a folder that this user cannot enter.
case $python in
  /usr | /usr/*) ;;
  *)
    top=/$(printf '%s' "$python" | cut -d/ -f2)
    case $top in /opt | /tmp) ;; *) mount -t tmpfs -o mode=0755 tmpfs "$top" ;; esac
    mkdir -p "$python"
    mount --rbind /mnt/python "$python"
    mount -o remount,bind,ro "$python"
    ;;
esac

[ "$proc" = all ] || mount -t proc -o "subset=pid,hidepid=invisible" proc /proc
for point in / /opt /var/lib /var/cache /run /mnt; do
  mount -o remount,bind,ro "$point"
done
cd /var/lib/live-dashboards
# What a test starts ends with the process that started it.
exec setpriv --pdeathsig KILL --reuid="$user" --regid="$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"

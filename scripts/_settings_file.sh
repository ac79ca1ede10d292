# Makes the settings file; sourced by the set-up, after _environment.sh.

# Makes $1 from its example with a login for the web page, whole or not at all, and never over one that is
# there; shows the password this once.
make_settings() (
  umask 077
  new=$(mktemp -- "$1.new.XXXXXX")
  trap 'rm -f -- "$new"' EXIT
  trap 'exit 1' HUP INT TERM
  password=$(generate_password) && login=$(hash_password "$password") || login="#DASHBOARD_PASSWORD_HASH="
  sed -- "s|^#DASHBOARD_PASSWORD_HASH=\$|$login|" "$1.example" >"$new"
  mv -n -- "$new" "$1" || [ -e "$1" ]
  [ ! -e "$new" ] || return 0 # another set-up made one meanwhile
  say "Created $1: write there where MLflow's database and Prometheus are."
  case "$login" in
    \#*) say "No login for the web page could be made; live-dashboards hash-password makes one." ;;
    *)
      say "Login for the web page where others can reach it: user dashboard, password $password" \
        "(shown this once; live-dashboards hash-password makes another)."
      ;;
  esac
)

generate_password() {
  "$root/.venv/bin/python" -P -c \
    'from live_dashboards.web.access.passwords import generate_password; print(generate_password())' 2>/dev/null
}

# The line for the settings file; the password goes through a pipe, since arguments can be read by every user
# of the machine.
hash_password() {
  printf '%s\n' "$1" | "$root/.venv/bin/live-dashboards" hash-password
}

#!/usr/bin/env bash
# Dash 4.4.1: a list that stands among the children which a callback returns takes their whole component off the page.
#
# Guess, written down before: `[None, [P, P]]` as children is either flattened, as React does with elements in a list in a list, or refused by the server,
# which validates what callbacks return.
# Seen: the server answers the callback with 200, and in the browser the component whose children they are is gone from the page, with all that stood in it
# before; only the browser's console has an error. `[None, P, P]` is shown.
# Packages: dash 4.4.1 from PyPI in a folder of its own; the browser is Debian 12's chromium, which has to be installed (seen with 150).
# Exit code 0 while it is so; 1 where the page is another one.
set -euo pipefail
command -v chromium >/dev/null || { echo "install Debian's chromium" >&2; exit 2; }
folder="$(mktemp -d)"
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf -- "$folder"' EXIT
cd -- "$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check dash==4.4.1
cat >page.py <<'PYTHON'
import sys

from dash import Dash, Input, Output, html

app = Dash(__name__)
app.layout = html.Div(
    [html.Div("here before", id="flat"), html.Div("here before", id="nested"), html.Div("here", id="other")]
)


@app.callback(Output("flat", "children"), Input("other", "id"))
def flat(_):
    return [None, html.P("flat one"), html.P("flat two")]


@app.callback(Output("nested", "children"), Input("other", "id"))
def nested(_):
    return [None, [html.P("nested one"), html.P("nested two")]]


app.run(host="127.0.0.1", port=int(sys.argv[1]), debug=False)
PYTHON
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
environment/bin/python page.py "$port" >log 2>&1 &
server=$!
for _ in $(seq 300); do
  ! environment/bin/python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/')" 2>/dev/null || break
  sleep 0.2
done
chromium --version
chromium --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" --virtual-time-budget=20000 --dump-dom "http://127.0.0.1:$port/" >dom 2>/dev/null
environment/bin/python - <<'PYTHON'
import re
from pathlib import Path

dom = Path("dom").read_text()
answered = len(re.findall(r'"POST /_dash-update-component\S* HTTP/1.1" 200', Path("log").read_text()))
there = {name: bool(re.search(f'id="{name}"', dom)) for name in ("flat", "nested", "other")}
said = {words: words in dom for words in ("flat one", "flat two", "nested one", "nested two")}
print(f"callbacks answered with 200: {answered}; on the page: {there}; words: {said}")
assert answered == 2, Path("log").read_text()
assert there == {"flat": True, "nested": False, "other": True}, "another page than was seen"
assert said == {"flat one": True, "flat two": True, "nested one": False, "nested two": False}, "another page than was seen"
PYTHON

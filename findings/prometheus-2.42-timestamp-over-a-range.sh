#!/usr/bin/env bash
# Prometheus 2.42: `timestamp(x)` over a range costs many times what `x` costs.
#
# Guess, written down before: `avg(timestamp(x))` over a range costs the server about as much as `avg(x)`, as both read the same samples.
# Seen: at 100 series, a sample a minute for a day, asked for every five minutes, thirty to sixty times as much time. A bare selector walks once through each
# series; `timestamp` of one looks each sample up anew at every step. Asked at one moment it costs nothing worth mentioning.
# Package: Debian 12's prometheus 2.42.0+ds-5+deb12u1, with samples that its promtool back-fills. The server tells by itself how long it evaluated
# (`stats`: evalTotalTime), so that nothing else on the machine counts; the least of five times is compared.
# Exit code 0 while `timestamp` costs more than five times as much; 1 where it does not any more.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf -- "$folder"' EXIT
cd -- "$folder"
apt-get download --quiet=2 "prometheus=2.42.0+ds-5+deb12u1"
dpkg -x prometheus_*.deb package
echo '{}' >prometheus.yml
end="$(($(date +%s) / 300 * 300))"
python3 - "$end" >history.txt <<'PYTHON'
import sys

end = int(sys.argv[1])
for series in range(100):
    for at in range(end - 86400, end + 1, 60):
        print(f'x{{series="{series}"}} {at - end + 86400} {at}')
print("# EOF")
PYTHON
package/usr/bin/promtool tsdb create-blocks-from --quiet openmetrics history.txt data
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
package/usr/bin/prometheus --config.file=prometheus.yml --storage.tsdb.path=data --storage.tsdb.retention.time=10y --web.listen-address="127.0.0.1:$port" \
  --log.level=error &
server=$!
python3 - "$port" "$end" <<'PYTHON'
import http.client, json, sys, time, urllib.parse

port, end = int(sys.argv[1]), int(sys.argv[2])


def ask(path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def ready():
    try:
        return ask("/-/ready")[0] == 200
    except OSError:
        return False


deadline = time.time() + 60
while not ready():
    assert time.time() < deadline, "Prometheus does not get ready"
    time.sleep(0.2)


def seconds(query):
    asked = urllib.parse.urlencode({"query": query, "start": end - 86400, "end": end, "step": 300, "stats": "true"})
    document = json.loads(ask("/api/v1/query_range?" + asked)[1])
    (series,) = document["data"]["result"]
    assert len(series["values"]) == 289, "all steps have a value"
    return document["data"]["stats"]["timings"]["evalTotalTime"]


least = {query: min(seconds(query) for _ in range(5)) for query in ("avg(x)", "avg(timestamp(x))")}
print(", ".join(f"{query}: {took * 1000:.1f} ms" for query, took in least.items()))
assert least["avg(timestamp(x))"] > 5 * least["avg(x)"], "another behaviour than was seen"
PYTHON

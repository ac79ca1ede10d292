#!/usr/bin/env bash
# Prometheus 2.42: the newest value of a native histogram is the number 0.
#
# Guess, written down before: `last_over_time(h[5m])` of a native histogram answers the newest histogram, as `h` and `increase(h[5m])` do.
# Seen: `h` and `increase(h[5m])` answer a histogram, `last_over_time(h[5m])` answers the plain number 0 with status success and no warning, so that a sum of
# the newest values is 0 and a difference of two of them is 0: no request seems to have been counted. (3.5 answers the histogram.)
# Package: Debian 12's prometheus 2.42.0+ds-5+deb12u1, started with the feature native-histograms; one histogram with two samples is written by remote write.
# Exit code 0 while it is so; 1 where the answer is another one.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf -- "$folder"' EXIT
cd -- "$folder"
apt-get download --quiet=2 "prometheus=2.42.0+ds-5+deb12u1"
dpkg -x prometheus_*.deb package
echo '{}' >prometheus.yml
port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
package/usr/bin/prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="127.0.0.1:$port" --log.level=error \
  --enable-feature=native-histograms --web.enable-remote-write-receiver &
server=$!
python3 - "$port" <<'PYTHON'
import http.client, json, struct, sys, time, urllib.parse

port = int(sys.argv[1])


def varint(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def whole(number, value):
    return varint(number << 3) + varint(value)


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def histogram(count, seconds):
    """Schema 0: all observations in the bucket from 0.5 to 1, whose index is 0."""
    span = field(11, whole(1, 0) + whole(2, 1))
    return whole(1, count) + double(3, 0.75 * count) + whole(4, 0) + double(5, 2.0**-128) + whole(6, 0) + span + field(12, varint(2 * count)) + whole(15, seconds * 1000)


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def ready():
    try:
        return ask("GET", "/-/ready")[0] == 200
    except OSError:
        return False


deadline = time.time() + 60
while not ready():
    assert time.time() < deadline, "Prometheus does not get ready"
    time.sleep(0.2)

now = int(time.time())
labels = field(1, field(1, b"__name__") + field(2, b"h"))
request = field(1, labels + field(4, histogram(100, now - 60)) + field(4, histogram(130, now)))
snappy = varint(len(request)) + bytes([61 << 2]) + struct.pack("<H", len(request) - 1) + request
headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
status, said = ask("POST", "/api/v1/write", snappy, headers)
assert status in (200, 204), said

seen = {}
for query in ("h", "increase(h[5m])", "last_over_time(h[5m])", "sum(last_over_time(h[5m]))"):
    document = json.loads(ask("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": now}))[1])
    (element,) = document["data"]["result"]
    seen[query] = element["value"][1] if "value" in element else "a histogram of " + element["histogram"][1]["count"]
    print(f"{query}: {document['status']}, {seen[query]}, warnings {document.get('warnings', [])}")
expected = {"h": "a histogram of 130", "last_over_time(h[5m])": "0", "sum(last_over_time(h[5m]))": "0"}
assert {query: seen[query] for query in expected} == expected, "another behaviour than was seen"
assert seen["increase(h[5m])"].startswith("a histogram of "), "another behaviour than was seen"
PYTHON

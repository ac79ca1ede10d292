"""A Redis of our own on a loopback port, which asks for a password."""

import os
import signal
from urllib.parse import quote

import redis

from live_dashboards.demo.server_process import ServerProcess
from tests.support.ports import free_port

PASSWORD = "m@rked:s/e%cret"
KEEPER = "keeper"  # another user, of this password, who may change the first one


class RedisServer:
    """A context manager; `stop` and `start` again as the test likes, on the same port. With `pair`, the paths of a certificate and its key, it speaks TLS."""

    def __init__(self, folder, password=PASSWORD, pair=()):
        self.port, self.password, self._folder, self._pair = free_port(), password, folder, pair
        self._server = ServerProcess("Redis", lambda _: self._command(), folder=folder, is_ready=lambda _: self._answers())

    @property
    def url(self):
        scheme = "rediss" if self._pair else "redis"
        return f"{scheme}://:{quote(self.password, safe='')}@127.0.0.1:{self.port}/0"

    @property
    def client(self):
        trusted = {"ssl": True, "ssl_ca_certs": str(self._pair[0])} if self._pair else {}
        return redis.Redis(host="127.0.0.1", port=self.port, password=self.password, retry=None, **trusted)

    def start(self):
        self._server.start()
        return self

    def stop(self):
        self._server.stop()

    def freeze(self):
        """It keeps its connections and says nothing any more."""
        os.kill(self._server.process_id, signal.SIGSTOP)

    def _command(self):
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder, "requirepass": self.password}
        if self._pair:
            certificate, key = self._pair
            options |= {"port": 0, "tls-port": self.port, "tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate, "tls-auth-clients": "no"}
        return ["redis-server", *(part for name, value in options.items() for part in (f"--{name}", str(value))), "--user", KEEPER, "on", f">{KEEPER}", "~*", "+@all"]

    def _answers(self):
        try:
            with self.client as client:
                return client.ping()
        except redis.RedisError:
            return False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

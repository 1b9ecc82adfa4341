"""The servers that are measured: how each is started as a cache in front of the same upstream, on one core.

Everything a server writes goes to the bench's own folder; nothing of the system's configuration is read or touched.
"""

import http.client
import json
import os
import re
import resource
import secrets
import signal
import socket
import subprocess
import time

HOST = "127.0.0.1"
TARGET = "/contacts/contact0000000000001"
MODULES = "/usr/lib/nginx/modules"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def allow_many_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def descendants(pid):
    """The process and all below it: Varnish and nginx work in children."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
            except (OSError, IndexError):
                pass
    found, queue = [], [pid]
    while queue:
        found.append(queue.pop())
        queue += children.get(found[-1], [])
    return found


class Server:
    """One started server: pinned, watched, and ended by its own process group."""

    name = ""
    caches = True
    start_limit = 20  # seconds until it must answer

    def __init__(self, folder, cores, upstream_port, options, **more):
        """`cores`: "0", "0,1", or None for any. `more`: what the server's own command() wants."""
        self.folder = os.path.join(folder, self.name)
        os.makedirs(self.folder, exist_ok=True)
        self.port, self.upstream_port, self.options, self.more = free_port(), upstream_port, options, more
        self.headers = {}
        command, environment = self.command()
        self.log = open(os.path.join(self.folder, "output.log"), "wb")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*([] if cores is None else ["taskset", "-c", cores]), *command], env={**os.environ, **environment}, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
            preexec_fn=allow_many_files)
        try:
            self.wait_until_answering()
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def ask(self, target, extra=None):
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", target, headers={**self.headers, **(extra or {})})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def answers(self):
        return self.ask(TARGET)[0] == 200

    def wait_until_answering(self):
        end = time.monotonic() + self.start_limit
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.answers():
                    self.start_seconds = time.monotonic() - self.started
                    return
            except OSError:
                pass
            except http.client.HTTPException:
                pass
            time.sleep(0.005)
        with open(self.log.name, errors="replace") as log:
            words = log.read()[-1500:]
        raise RuntimeError(f"{self.name} does not answer 200 on port {self.port}; it wrote:\n{words}")

    def cpu_seconds(self):
        ticks = 0
        for pid in descendants(self.process.pid):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        total = 0
        for pid in descendants(self.process.pid):
            try:
                with open(f"/proc/{pid}/smaps_rollup") as rollup:
                    total += 1024 * int(re.search(r"^Pss:\s+(\d+)", rollup.read(), re.M).group(1))
            except OSError:
                pass
        return total

    def stop(self, patience=3):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                try:
                    os.killpg(self.process.pid, number)
                    self.process.wait(patience)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    pass
        self.log.close()


class BareEpoll(Server):
    name, caches = "bare-epoll", False

    def command(self):
        return [f"{self.options.bin}/bare-epoll", str(self.port), str(self.options.body)], {}


class Upstream(BareEpoll):
    name = "upstream"


class BarePistache(Server):
    name, caches = "bare-pistache", False

    def command(self):
        return [f"{self.options.bin}/bare-pistache", str(self.port), str(self.options.body)], {}


class Simulator(Server):
    """The stand-in for LeadConnector, without limits."""

    name = "simulator"
    caches = False

    def command(self):
        self.headers = {"Authorization": "Bearer pit-bench", "Version": "2021-07-28"}
        return [f"{self.options.bin}/leadconnector-simulator", "--listen", f"{HOST}:{self.port}", "--token", "pit-bench",
                "--limit", "0", "--daily", "1000000000", "--contacts", str(self.more.get("contacts", 25))], {}


class Redis(Server):
    name = "redis"
    caches = False

    def command(self):
        return ["redis-server", "--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no",
                "--dir", self.folder], {}

    def answers(self):
        return self.say("PING").startswith(b"+PONG")

    def say(self, *words):
        command = b"*%d\r\n" % len(words)
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            command += b"$%d\r\n%s\r\n" % (len(data), data)
        with socket.create_connection((HOST, self.port), timeout=5) as link:
            link.sendall(command)
            return link.recv(65536)


class Gateway(Server):
    """With everything on that a real one has: access by key, metrics, Age, Cache-Status, strict coherence, its log."""

    name = "gateway"
    key = None

    def command(self):
        key = self.key or secrets.token_urlsafe(24)
        self.admin_port = free_port()
        settings = {
            "listen": f"{HOST}:{self.port}",
            "admin": {"listen": f"{HOST}:{self.admin_port}"},
            "upstream": {"url": f"http://{HOST}:{self.upstream_port}"},
            "credentials": {"token": "pit-bench"},
            "server": {"threads": self.more.get("threads", 1)},
            "log": {"requests": "all" if self.options.access_log else "off"},
            "cache": {"operations": {"get-contact": {"fresh": "1h"}}, "memory_bytes": self.more.get("memory", "64MiB")},
            "rate_limit": {"requests": self.more.get("limit", 1_000_000), "daily": 1_000_000_000},
        }
        if "redis" in self.more:
            settings["redis"] = {"url": f"redis://{HOST}:{self.more['redis'].port}/0"}
        hashed = subprocess.run([f"{self.options.bin}/contacts-gateway", "hash-key"], input=key + "\n",
                                capture_output=True, text=True)
        if hashed.returncode == 0 and hashed.stdout.strip():
            settings["clients"] = [{"name": "bench", "key_hash": hashed.stdout.split()[-1]}]
            self.headers = {"Authorization": f"Bearer {key}"}
        config = self.write("gateway.json", json.dumps(settings, indent=1))
        return [f"{self.options.bin}/contacts-gateway", "serve", "--config", config], {}


class Nginx(Server):
    name = "nginx"

    def command(self):
        log = f"{self.folder}/access.log combined buffer=64k flush=1s" if self.options.access_log else "off"
        paths = "".join(f"  {kind}_temp_path {self.folder}/{kind};\n"
                        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.write("nginx.conf", f"""
{'user root;' if os.geteuid() == 0 else ''}
worker_processes 1;
daemon off;
pid {self.folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 40000;
events {{ worker_connections 20000; multi_accept on; }}
http {{
{paths}
  access_log {log};
  sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 300; keepalive_requests 1000000000;
  open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s;
  proxy_cache_path {self.folder}/cache keys_zone=contacts:64m max_size=1g inactive=60m use_temp_path=off;
  upstream api {{ server {HOST}:{self.upstream_port}; keepalive 16; }}
  server {{
    listen {HOST}:{self.port} backlog=4096;
    location / {{
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache contacts; proxy_cache_valid 200 60m; proxy_cache_lock on;
      add_header X-Cache $upstream_cache_status;
    }}
  }}
}}
""")
        return ["nginx", "-p", self.folder, "-c", config], {}


class NginxLua(Server):
    """The least that reads an answer from Redis: one GET over kept connections, no checks, no age, no coherence."""

    name = "nginx+lua"

    def command(self):
        redis = self.more["redis"]
        body = json.dumps({"contact": {"id": "contact0000000000001", "note": ""}})
        for number in range(1, self.more["contacts"] + 100):  # a fill runs over by its connections
            redis.say("SET", f"/contacts/contact{number:013}", body[:-3] + "x" * (self.options.body - len(body)) + body[-3:])
        config = self.write("nginx.conf", f"""
load_module {MODULES}/ndk_http_module.so;
load_module {MODULES}/ngx_http_lua_module.so;
{'user root;' if os.geteuid() == 0 else ''}
worker_processes 1;
daemon off;
pid {self.folder}/nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 40000;
events {{ worker_connections 20000; multi_accept on; }}
http {{
  access_log {self.folder + "/access.log combined buffer=64k flush=1s" if self.options.access_log else "off"};
  tcp_nodelay on; keepalive_timeout 300; keepalive_requests 1000000000;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi;
  uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  lua_package_path "/usr/share/lua/5.1/?.lua;;";
  init_by_lua_block {{ redis = require "nginx.redis" }}
  server {{
    listen {HOST}:{self.port} backlog=4096;
    location / {{
      content_by_lua_block {{
        local link = redis:new()
        link:set_timeout(1000)
        local connected, why = link:connect("{HOST}", {redis.port})
        if not connected then ngx.log(ngx.ERR, why) return ngx.exit(502) end
        local body = link:get(ngx.var.uri)
        link:set_keepalive(60000, 256)
        if not body or body == ngx.null then return ngx.exit(404) end
        ngx.header["Content-Type"] = "application/json"
        ngx.header["Content-Length"] = #body
        ngx.print(body)
      }}
    }}
  }}
}}
""")
        return ["nginx", "-p", self.folder, "-c", config], {}


class Varnish(Server):
    name = "varnish"

    def command(self):
        config = self.write("bench.vcl", f"""vcl 4.1;
backend api {{ .host = "{HOST}"; .port = "{self.upstream_port}"; }}
sub vcl_backend_response {{ set beresp.ttl = 1h; }}
""")
        return ["varnishd", "-F", "-n", f"{self.folder}/state", "-j", "none", "-a", f"{HOST}:{self.port}", "-f", config,
                "-s", "malloc,512m", "-p", "thread_pools=1", "-p", "thread_pool_max=4000"], {}


class HAProxy(Server):
    name = "haproxy"

    def command(self):
        config = self.write("haproxy.cfg", f"""
global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 30s
cache contacts
  total-max-size 64
  max-object-size 1000000
  max-age 3600
frontend public
  bind {HOST}:{self.port} backlog 4096
  http-request cache-use contacts
  http-response cache-store contacts
  default_backend api
backend api
  server one {HOST}:{self.upstream_port}
""")
        return ["haproxy", "-db", "-f", config], {}


COMPARED = (Gateway, BarePistache, BareEpoll, Nginx, Varnish, HAProxy)

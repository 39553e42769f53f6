"""What relib costs a server: nginx with modules, with the shim and without, side by side.

Both serve at the same time, and ab asks them in turn; shown are the medians of the rounds, and of
the ratios of shim to plain in the same round.  Requests a second are what counts on a quiet
machine; the processor time of the server's processes for a request is true on a busy one too.

RELIB_BENCH_ROUNDS (7) and RELIB_BENCH_REQUESTS (10000) make it shorter or longer.
"""
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", os.path.join(HERE, "../..")))
SHIM = os.path.join(BUILD, "shim/.libs/librelib.so")
ROUNDS = int(os.environ.get("RELIB_BENCH_ROUNDS", "7"))
REQUESTS = os.environ.get("RELIB_BENCH_REQUESTS", "10000")
MODULES = "/usr/lib/nginx/modules"
os.environ["PATH"] += ":/usr/sbin"

CONFIGURATION = """
%(modules)s
worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/log; daemon off;
events { worker_connections 256; }
http {
	client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy;
	fastcgi_temp_path %(folder)s/fastcgi; uwsgi_temp_path %(folder)s/uwsgi;
	scgi_temp_path %(folder)s/scgi; access_log off; keepalive_requests 1000000;
	root %(folder)s;
	server {
		listen 127.0.0.1:%(port)d;
		location /echo { echo hello; }
		location /lua { content_by_lua_block { ngx.say("lua ", #string.rep("x", 1000)) } }
	}
}
"""


class Server:
	def __init__(self, folder, preload):
		os.makedirs(os.path.join(folder, "sessions"))
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			self.port = free.getsockname()[1]
		with open(os.path.join(folder, "file"), "w") as file:
			file.write("a file\n" * 100)
		modules = "\n".join("load_module %s/%s;" % (MODULES, name) for name in (
			"ndk_http_module.so", "ngx_http_echo_module.so", "ngx_http_lua_module.so"))
		path = os.path.join(folder, "conf")
		with open(path, "w") as file:
			file.write(CONFIGURATION % dict(modules=modules, folder=folder, port=self.port))
		environment = dict(os.environ, RELIB_DIR=os.path.join(folder, "sessions"))
		command = ["nginx", "-e", os.path.join(folder, "log"), "-c", path]
		if preload:
			command = ["env", "LD_PRELOAD=" + SHIM] + command
		self.process = subprocess.Popen(command, env=environment)
		for attempt in range(200):
			with socket.socket() as probe:
				if probe.connect_ex(("127.0.0.1", self.port)) == 0:
					return
			time.sleep(0.05)
		raise SystemExit("nginx does not start")

	def spent(self):
		"""Nanoseconds that its processes have run."""
		total = 0
		path = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
		for pid in [self.process.pid] + open(path).read().split():
			total += int(open("/proc/%s/schedstat" % pid).read().split()[0])
		return total

	def ask(self, path, options):
		"""Requests a second, and microseconds of its processes for one."""
		before = self.spent()
		text = subprocess.run(["ab", "-q", "-n", REQUESTS, "-c", "8"] + options +
			["http://127.0.0.1:%d%s" % (self.port, path)],
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
		spent = self.spent() - before
		rate = re.search(r"Requests per second:\s+([\d.]+)", text)
		if not rate or not re.search(r"Failed requests:\s+0\b", text):
			raise SystemExit(text)
		return float(rate.group(1)), spent / int(REQUESTS) / 1000

	def end(self):
		self.process.send_signal(signal.SIGTERM)
		self.process.wait()


def main():
	for what in "nginx", "ab":
		if not shutil.which(what):
			print("Left out: a server (there is no %s)." % what)
			return
	if not os.path.exists(MODULES + "/ngx_http_lua_module.so"):
		print("Left out: a server (nginx's modules are not here).")
		return
	folder = tempfile.mkdtemp(prefix="relib-bench.")
	os.chmod(folder, 0o755)
	servers = [Server(os.path.join(folder, name), name == "shim") for name in ("plain", "shim")]
	try:
		print("%-34s %10s %10s %8s %10s %10s %8s" % ("nginx, medians of %d rounds" % ROUNDS,
			"plain", "shim", "ratio", "plain", "shim", "ratio"))
		for path in "/file", "/echo", "/lua":
			for words, options in ("new connections", []), ("keep-alive", ["-k"]):
				rounds = []
				for turn in range(ROUNDS):
					order = servers if turn % 2 else servers[::-1]
					got = {id(server): server.ask(path, options) for server in order}
					rounds.append([got[id(server)] for server in servers])
				line = "%-34s" % ("%s, %s" % (path, words))
				for i, unit in (0, "/s"), (1, "us"):
					plain, shim = ([r[s][i] for r in rounds] for s in (0, 1))
					line += " %8.0f%s %8.0f%s %8.3f" % (statistics.median(plain), unit,
						statistics.median(shim), unit,
						statistics.median(b / a for a, b in zip(plain, shim)))
				print(line, flush=True)
	finally:
		for server in servers:
			server.end()
		shutil.rmtree(folder)


main()

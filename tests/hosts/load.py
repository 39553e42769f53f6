"""A client that keeps a server busy: a new connection for each request, from several threads.

load.py get URL...		prints the bodies
load.py load URL BODY THREADS	asks until its input ends, each answer should be BODY; a line N on
				the input is answered when N more requests are done; at the end
				the number of lost ones is printed, and why to stderr
"""
import collections
import http.client
import sys
import threading
import urllib.parse


def get(url):
	parts = urllib.parse.urlsplit(url)
	connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
	try:
		connection.request("GET", parts.path, headers={"Connection": "close"})
		return connection.getresponse().read().decode()
	finally:
		connection.close()


class Load:
	def __init__(self, url, body, threads):
		self.url = url
		self.body = body
		self.over = False
		self.lock = threading.Condition()
		self.done = 0
		self.lost = collections.Counter()
		self.threads = [threading.Thread(target=self.ask) for i in range(threads)]
		for thread in self.threads:
			thread.start()

	def ask(self):
		while not self.over:
			try:
				answer = get(self.url).strip()
				why = None if answer == self.body else "answer: " + answer[:200]
			except Exception as error:
				why = repr(error)
			with self.lock:
				self.done += 1
				if why:
					self.lost[why] += 1
				self.lock.notify_all()

	def more(self, requests):
		with self.lock:
			wanted = self.done + requests
			self.lock.wait_for(lambda: self.done >= wanted, timeout=100)

	def end(self):
		self.over = True
		for thread in self.threads:
			thread.join()
		print(sum(self.lost.values()))
		for why, times in self.lost.items():
			print(times, "of", self.done, why, file=sys.stderr)


if sys.argv[1] == "get":
	for url in sys.argv[2:]:
		print(get(url).rstrip())
else:
	load = Load(sys.argv[2], sys.argv[3], int(sys.argv[4]))
	for line in sys.stdin:
		load.more(int(line))
		print("done", flush=True)
	load.end()

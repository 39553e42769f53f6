"""What relib costs: configurations side by side, interleaved in one run.

Every row is measured in every configuration before the next round begins, so
that a noisy machine disturbs all alike.  Shown are the median of the rounds
and, in brackets, the median of its ratios to plain in the same round.

RELIB_BENCH_ROUNDS (7) and RELIB_BENCH_MS (100, for one measurement) make it
shorter or longer; words on the command line choose rows: "bench.py mixed".
"""
import glob
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("top_builddir", os.path.join(HERE, "../..")))
SHIM = os.path.join(BUILD, "shim/.libs/librelib.so")
ROUNDS = int(os.environ.get("RELIB_BENCH_ROUNDS", "7"))
MILLISECONDS = os.environ.get("RELIB_BENCH_MS", "100")
CXX = shlex.split(os.environ.get("CXX", "c++"))
CC = shlex.split(os.environ.get("CC", "cc"))

WORKS = {
	"pairs": "malloc and free of 64 B",
	"mixed": "16-1024 B over 10,000 live",
	"sites": "64 B from 16 call stacks",
	"strings": "strdup and free",
	"objects": "new and delete of 64 B",
	"locks": "lock and unlock of a mutex",
}


class Row:
	def __init__(self, name, unit, arguments, host_only=False):
		self.name = name
		self.unit = unit
		self.arguments = arguments
		self.host_only = host_only


def rows():
	for caller in "plugin", "host":
		for threads in "1", "2":
			for work, text in WORKS.items():
				yield Row("%s, %s: %s" % (caller, "1 thread" if threads == "1"
					else threads + " threads", text), "ns",
					[MILLISECONDS, caller, work, threads], caller == "host")
	yield Row("memory of a live block of 64 B", "B", ["0", "memory", "300000"])
	for blocks in "1000", "100000":
		yield Row("unload with %s leaked blocks" % blocks, "ms", ["0", "unload", blocks])
	for size in "10", "1000":
		yield Row("reading %s MiB once" % size, "ms", ["0", "read", size], True)
		for threads in "1", "16", "500":
			yield Row("unload without residue, %s MiB, %s thread%s" % (size, threads,
				"" if threads == "1" else "s"), "ms", ["0", "close", size, threads])


class Configuration:
	def __init__(self, name, environment=None, command=None, for_host=True):
		self.name = name
		self.environment = environment or {}
		self.command = command or []
		self.for_host = for_host


def shim(**settings):
	environment = {"LD_PRELOAD": SHIM}
	environment.update(("RELIB_" + k.upper(), v) for k, v in settings.items())
	return environment


def configurations(folder):
	"""All there are here, and a word about those that are not."""
	found, missing = [Configuration("plain")], []
	if os.path.exists(SHIM):
		found.append(Configuration("not tracked", shim(track="nothing")))
		for frames in "0", "8", "16":
			found.append(Configuration(frames + " frames", shim(frames=frames), None,
				frames == "16"))
	else:
		missing.append("the shim (not built: %s)" % SHIM)
	if shutil.which("heaptrack"):
		found.append(Configuration("heaptrack", None,
			["heaptrack", "--raw", "-o", os.path.join(folder, "heaptrack")]))
	else:
		missing.append("heaptrack (not installed)")
	lsan = subprocess.run(CC + ["-print-file-name=liblsan.so"], stdout=subprocess.PIPE,
		text=True).stdout.strip()
	if os.path.isabs(lsan):
		found.append(Configuration("LSan", {"LD_PRELOAD": os.path.realpath(lsan),
			"LSAN_OPTIONS": "leak_check_at_exit=0"}))
	else:
		missing.append("LSan (%s has no liblsan.so)" % " ".join(CC))
	return found, missing


def build(folder):
	flags = ["-O2", "-g", "-std=gnu++17", "-pthread", "-I", HERE]
	work = os.path.join(HERE, "work.cc")
	subprocess.run(CXX + flags + ["-fPIC", "-shared", "-o", os.path.join(folder, "work.so"), work],
		check=True)
	subprocess.run(CXX + flags + ["-o", os.path.join(folder, "bench"), work,
		os.path.join(HERE, "bench.cc"), "-ldl"], check=True)


def measure(folder, configuration, row):
	environment = {k: v for k, v in os.environ.items()
		if not k.startswith("RELIB_") and k != "LD_PRELOAD"}
	environment["RELIB_DIR"] = os.path.join(folder, "sessions")
	command = configuration.command + [os.path.join(folder, "bench"),
		os.path.join(folder, "work.so")] + row.arguments
	if configuration.environment:
		# by env, so that nothing but the bench is preloaded
		command = ["env"] + ["%s=%s" % item for item in configuration.environment.items()] + command
	try:
		done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, text=True, timeout=120)
	except subprocess.TimeoutExpired:
		return None
	finally:
		for path in glob.glob(os.path.join(folder, "heaptrack*")):
			os.remove(path)
		shutil.rmtree(os.path.join(folder, "sessions"), ignore_errors=True)
		os.mkdir(os.path.join(folder, "sessions"))
	for line in done.stdout.splitlines():
		if line.startswith("result "):
			return float(line.split()[1])
	return None


def cell(values, plain, unit):
	pairs = [(v, p) for v, p in zip(values, plain) if v is not None and p]
	if not pairs:
		return "-"
	median = statistics.median(v for v, p in pairs)
	text = "%.0f" % median if median >= 100 else "%.1f" % median if median >= 1 else "%.2f" % median
	if values is plain:
		return "%s %s" % (text, unit)
	return "%s (%.2f)" % (text, statistics.median(v / p for v, p in pairs))


def print_table(lines):
	widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
	for number, line in enumerate(lines):
		print("  ".join([line[0].ljust(widths[0])] +
			[text.rjust(width) for text, width in zip(line[1:], widths[1:])]).rstrip())
		if number == 0:
			print("  ".join("-" * width for width in widths))


def main():
	wanted = [row for row in rows()
		if all(word in row.name + " ".join(row.arguments) for word in sys.argv[1:])]
	with tempfile.TemporaryDirectory(prefix="relib-bench.") as folder:
		os.mkdir(os.path.join(folder, "sessions"))
		build(folder)
		found, missing = configurations(folder)
		results = {}
		for turn in range(ROUNDS):
			print("round %d of %d" % (turn + 1, ROUNDS), file=sys.stderr)
			for row in wanted:
				for configuration in found:
					value = None
					if configuration.for_host or not row.host_only:
						value = measure(folder, configuration, row)
					results.setdefault((row.name, configuration.name), []).append(value)
	print("Medians of %d rounds; in brackets the ratio to plain.  Plugin calls are about twenty "
		"frames deep." % ROUNDS)
	print_table([[""] + [configuration.name for configuration in found]] + [
		[row.name] + [cell(results[row.name, configuration.name], results[row.name, "plain"],
			row.unit) for configuration in found] for row in wanted])
	for what in missing:
		print("Left out: %s." % what)


main()

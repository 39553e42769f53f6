"""Questions to a report of relib, for the system tests.

report.py value FILE EXPRESSION	prints the value of EXPRESSION
report.py holds FILE < LINES	a line "DESCRIPTION: EXPRESSION" becomes "ok DESCRIPTION" or
				"not ok DESCRIPTION" with the parts of the expression that
				tell why

An expression sees the functions below, and:
	report		the whole document
	session		its last session
	modules		that session's modules
	totals		that session's totals
A module is named by the last part of its path.  Amounts are (blocks, bytes).
"""
import json
import os
import re
import subprocess
import sys
import traceback

NOTHING = {"blocks": 0, "bytes": 0}


def load(path):
	global report, session, modules, totals
	with open(path) as file:
		report = json.load(file)
	session = report["sessions"][-1] if report["sessions"] else {}
	modules = session.get("modules", [])
	for owner in modules:
		stacks_join(owner)
	totals = {kind: amount(what) for kind, what in session.get("totals", {}).items()
		if isinstance(what, dict)}


def stacks_join(owner):
	"""Gives balances and leftovers the stacks of their places."""
	stacks = {p["id"]: p["stack"] for p in owner["places"]}
	for g in owner["generations"]:
		for what in g["balances"] + g["leftovers"]:
			what["stack"] = stacks.get(what["place"], [])


def amount(what):
	what = what or NOTHING
	return what["blocks"], what["bytes"]


def add(amounts):
	amounts = list(amounts)
	return sum(a[0] for a in amounts), sum(a[1] for a in amounts)


def times(n, pair):
	return n * pair[0], n * pair[1]


def module(name):
	"""All builds of the module whose path ends in name, as one."""
	builds = [m for m in modules if os.path.basename(m["path"]) == os.path.basename(name)]
	return {
		"generations": sorted((g for m in builds for g in m["generations"]),
			key=lambda g: g["number"]),
		"places": [p for m in builds for p in m["places"]],
	}


def generations(name):
	return module(name)["generations"]


def generation(name, number):
	for candidate in generations(name):
		if candidate["number"] == number:
			return candidate
	return {"number": number, "state": "none"}


def of_generation(name, number, kind):
	return amount(generation(name, number).get(kind))


def stops(name):
	"""How the world was stopped, at each unload of the module."""
	return [g.get("stop", {}).get("method") for g in generations(name)
		if g["state"] != "loaded"]


def stays(name, number):
	"""The kinds of the reasons why the generation is still loaded, as of the last dlclose."""
	return [s["kind"] for s in generation(name, number).get("stays", []) if s["current"]]


def closed():
	"""(module, generation) of all that were closed and are still loaded."""
	return [(m, g) for m in modules for g in m["generations"]
		if g["state"] == "loaded" and g["closes"] and g["closing"] != "open"]


def unexplained():
	"""What was closed and stays without a reason that is known."""
	return [(m["path"], g["number"]) for m, g in closed()
		if not [s for s in g["stays"] if s["current"]] or
			[s for s in g["stays"] if s["current"] and s["kind"] == "unknown"]]


def dynamic(path):
	"""The dynamic section of a file, as readelf prints it."""
	return subprocess.run(["readelf", "-dW", path], stdout=subprocess.PIPE,
		stderr=subprocess.DEVNULL, text=True).stdout


def symbols(path):
	return subprocess.run(["readelf", "--dyn-syms", "-W", path], stdout=subprocess.PIPE,
		stderr=subprocess.DEVNULL, text=True).stdout


def falsely_marked():
	"""What is said to be linked with -z nodelete, and is not as readelf reads it."""
	return [m["path"] for m, g in closed() if "nodelete-file" in [s["kind"] for s in g["stays"]]
		and "NODELETE" not in dynamic(m["path"])]


def came_with_gone(g):
	"""Nobody opened the generation, or nobody has it open, and what brought it is gone."""
	parent = g["parent"] and generation(g["parent"]["path"], g["parent"]["number"])
	return g["state"] == "loaded" and g["closing"] == "open" and g["opens"] <= g["closes"] and \
		bool(parent) and parent["state"] != "loaded"


def left_behind():
	"""What nobody closed and is still loaded, though what brought it is gone, and that without a
	reason, or for one that its file does not have."""
	wrong = []
	for m in modules:
		for g in m["generations"]:
			if not came_with_gone(g):
				continue
			why = [s["kind"] for s in g["stays"] if s["current"]]
			if not why or "unknown" in why or \
					("nodelete-file" in why and "NODELETE" not in dynamic(m["path"])) or \
					("unique-symbol" in why and " UNIQUE " not in symbols(m["path"])):
				wrong.append((m["path"], why))
	return wrong


def brought_by(name):
	"""The names of what brought the module's first generation, innermost first."""
	found = []
	parent = generation(name, 1)["parent"]
	while parent:
		found.append(os.path.basename(parent["path"]))
		parent = generation(parent["path"], parent["number"])["parent"]
	return found


def leavers():
	"""The names of the modules that left anything."""
	return sorted({os.path.basename(m["path"]) for m in modules for g in m["generations"]
		if g["leaked"]["blocks"] or g["kept"]["blocks"]})


def threads(name, number=None):
	"""The threads of one generation, or of all, that are not over or that an unload waits for."""
	return [t for g in generations(name) if number in (None, g["number"]) for t in g["threads"]]


def stands(thread):
	"""(function, file:line) in the module of a thread that an unload waits for, or None."""
	physical = -1
	for frame in thread["stack"]:
		physical += not frame["inlined"]
		if physical == thread["module_frame"]:
			return bare(frame.get("function")), "%s:%s" % (
				os.path.basename(frame.get("file") or "?"), frame.get("line"))
	return None


def thread_counts(name):
	"""(started, ended, running) of the module's threads at all of its places."""
	counts = [p["threads"] for p in module(name)["places"]]
	return tuple(sum(c[key] for c in counts) for key in ("started", "ended", "running"))


def total_threads(function, name):
	"""(started, ended, running) of the threads that were created with the function on the stack."""
	counts = [p["threads"] for p in places(function, name)]
	return tuple(sum(c[key] for c in counts) for key in ("started", "ended", "running"))


def dangling(name, kind=None, stale=False):
	"""The texts of what pointed into the module; without what may be stale unless asked for."""
	return [d["text"] for g in generations(name) for d in g["dangling"]
		if kind in (None, d["kind"]) and (stale or not d["maybe_stale"])]


def balance(kind, name, number=None, function=None):
	"""(acquired, given back, left, taken back, later) of a kind, over the generations of a module
	or of one; with function, only what was acquired with that function on the stack.  Left is
	what a generation holds as long as it is loaded."""
	found = [b for g in generations(name) if number in (None, g["number"]) for b in g["balances"]
		if b["kind"] == kind and (function is None or
			any(bare(f.get("function")) == function for f in b["stack"]))]
	return balance_sum(found, "count")


def balance_bytes(kind, name, number=None):
	found = [b for g in generations(name) if number in (None, g["number"]) for b in g["balances"]
		if b["kind"] == kind]
	return balance_sum(found, "bytes")


def balance_sum(found, unit):
	parts = ("acquired",), ("given_back",), ("left", "held"), ("taken_back",), ("later",)
	return tuple(sum(b[what][unit] for b in found for what in part) for part in parts)


def leftovers(kind, name, number=None):
	"""(state, text) of what was left of a kind."""
	return [(l["state"], l["text"]) for g in generations(name) if number in (None, g["number"])
		for l in g["leftovers"] if kind in (None, l["kind"])]


def left_by(function, name, kind="descriptor"):
	"""The texts of what was left that was acquired with the function on the stack."""
	at = [p["id"] for p in places(function, name)]
	return [l["text"] for g in generations(name) for l in g["leftovers"]
		if l["kind"] == kind and l["place"] in at]


def late_calls(name):
	return [n for g in generations(name) for n in g["late_calls"]]


def timeouts(name):
	return [n for g in generations(name) for n in g["timeouts"]]


def all_places():
	return [place for owner in modules for place in owner["places"]]


def bare(function):
	"""The name without arguments and namespaces; a Rust name without its hash."""
	function = re.sub(r"::h[0-9a-f]{16}$", "", function or "")
	return re.sub(r"\(.*\)( const)?$", "", function).split("::")[-1]


def frame_of(place, function):
	"""The innermost frame of the function in a stack, or None."""
	for frame in place["stack"]:
		if bare(frame.get("function")) == function:
			return frame
	return None


def places(function, name=None):
	"""All places with the function on the stack."""
	return [p for p in (module(name)["places"] if name else all_places())
		if frame_of(p, function)]


def total(function, kind, name=None):
	"""kind: allocated, freed, live, leaked, reclaimed, kept, runtime."""
	return add(amount(p.get(kind)) for p in places(function, name))


def of_module(name, kind):
	return add(amount(p.get(kind)) for p in module(name)["places"])


def lines(function, name=None, generation=None):
	"""file:line of the function's frame in all places where it leaked, sorted."""
	found = set()
	for place in places(function, name):
		if not place["leaked"]["blocks"]:
			continue
		if generation is not None and generation not in [
				r["generation"] for r in place.get("residue", [])]:
			continue
		frame = frame_of(place, function)
		found.add("%s:%s" % (os.path.basename(frame.get("file") or "?"), frame.get("line")))
	return sorted(found)


def roots(name=None):
	"""(kind, text) of everything that refers to kept blocks."""
	found = []
	for place in module(name)["places"] if name else all_places():
		for residue in place.get("residue", []):
			root = residue.get("root")
			if root and root.get("kind") not in (None, "none"):
				found.append((root["kind"], root.get("text", "")))
	return found


def notes(kind=None):
	return [n for n in session.get("notes", []) if kind is None or n["kind"] == kind]


def said(word):
	"""The notes that have the word in their kind or text, upper or lower case."""
	return [n for n in notes() if word.lower() in (n["kind"] + " " + str(n.get("text"))).lower()]


def expected(path):
	"""The table that expected_leaks in lib.sh wrote: function -> (blocks, bytes..., line)."""
	table = {}
	with open(path) as file:
		for row in file:
			function, blocks, size, source, line = row.split()
			table[function] = (int(blocks), [int(s) for s in size.split("|")],
				source + ":" + line)
	return table


def leaks_wrong(path, calls, generation=None):
	"""What is not as the table says after so many calls: [] when all is exact."""
	wrong = []
	table = expected(path)
	for function, (blocks, sizes, line) in table.items():
		got = total(function, "leaked")
		if got not in [(calls * blocks, calls * size) for size in sizes]:
			wrong.append("%s leaked %s, not %d times (%d, %s)" % (
				function, got, calls, blocks, sizes))
		if lines(function, generation=generation) != [line]:
			wrong.append("%s is at %s, not at %s" % (
				function, lines(function, generation=generation), line))
		if total(function, "reclaimed") != got:
			wrong.append("%s: reclaimed %s of %s" % (function, total(function, "reclaimed"), got))
	for place in all_places():
		if amount(place.get("leaked"))[0] and not any(frame_of(place, f) for f in table):
			wrong.append("not expected: %s from %s" % (amount(place["leaked"]),
				[f.get("function") for f in place["stack"]]))
	return wrong


def explain(expression):
	"""The sides of a comparison, evaluated."""
	print("# %s" % expression)
	for part in re.split(r" (?:==|!=|<=|>=|<|>|and|in) ", expression):
		try:
			print("#   %s = %r" % (part, eval(part, globals())))
		except Exception:
			pass


def parts(line):
	"""A line's description, which may have colons in it, and its expression."""
	at = line.find(": ")
	while at >= 0:
		try:
			compile(line[at + 2:], "line", "eval")
			return line[:at], line[at + 2:]
		except SyntaxError:
			at = line.find(": ", at + 1)
	raise SystemExit("no expression in: " + line)


def check(line):
	description, expression = parts(line)
	try:
		held = bool(eval(expression, globals()))
		why = None
	except Exception:
		held = False
		why = traceback.format_exc(limit=0).strip()
	print("%s %s" % ("ok" if held else "not ok", description))
	if not held:
		explain(expression)
		if why:
			print("# " + why.replace("\n", "\n# "))


def main():
	load(sys.argv[2])
	if sys.argv[1] == "value":
		print(eval(sys.argv[3], globals()))
		return
	for line in sys.stdin:
		if line.strip():
			check(line.strip())


main()

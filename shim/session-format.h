/* SPDX-License-Identifier: MIT */
/*
 * The session file: the record of one process under relib, and the contract
 * between the preload library that writes it and the programs that read it.
 *
 * The file is mapped memory.  The shim keeps it true at every instant, so it
 * can be read while the process runs and after it ended in any way.  Nothing
 * is appended per call: the file grows with the number of distinct objects,
 * places, generations and threads only.
 *
 * Layout: extents of SESSION_EXTENT_SIZE bytes.  Extent 0 holds struct
 * session_header.  Every other extent belongs to one table; the header says
 * which, in order.  Record i of a table lies in extent
 * head.extent[i / per_extent] at (i % per_extent) * record_size, where
 * per_extent = SESSION_EXTENT_SIZE / record_size.  No record crosses extents.
 * Record 0 of every table is never used, so that index 0 can say "none".
 *
 * A record is written whole before head.record_count is raised past it
 * (release), so a reader that loads record_count (acquire) first never sees a
 * half-written record.  Counters inside records go on changing.
 *
 * All integers are in the byte order of the machine that wrote the file; a
 * magic that reads reversed is another machine's file.
 */
#ifndef RELIB_SESSION_FORMAT_H
#define RELIB_SESSION_FORMAT_H

#include <stdint.h>

#define SESSION_MAGIC		UINT64_C(0x53424c4552620a1a)	/* "\x1a\nbRELBS" in memory */
#define SESSION_VERSION		1
#define SESSION_EXTENT_SIZE	65536u
#define SESSION_EXTENTS_MAX	4096u	/* 256 MiB in all */
#define SESSION_TABLE_EXTENTS	2048u	/* of one table */
#define SESSION_FILE_NAME	"session"
#define SESSION_OBJECTS_DIR	"objects"

enum session_table {
	SESSION_STRINGS,	/* bytes; NUL-terminated strings, index = byte offset */
	SESSION_OBJECTS,	/* struct session_object */
	SESSION_GENERATIONS,	/* struct session_generation */
	SESSION_PLACES,		/* struct session_place */
	SESSION_FRAMES,		/* uint64_t, see SESSION_FRAME_OBJECT */
	SESSION_RESIDUES,	/* struct session_residue */
	SESSION_COUNTERS,	/* struct session_counters, one per thread */
	SESSION_NOTES,		/* struct session_note */
	SESSION_THREADS,	/* struct session_thread */
	SESSION_STAYS,		/* struct session_stay */
	SESSION_DANGLINGS,	/* struct session_dangling */
	SESSION_BALANCES,	/* struct session_balance */
	SESSION_LEFTOVERS,	/* struct session_leftover */
	SESSION_TABLES
};

struct session_table_head {
	uint32_t record_size;		/* bytes */
	uint32_t extent_count;		/* extents in use */
	uint64_t record_count;		/* published records, record 0 included */
	uint16_t extent[SESSION_TABLE_EXTENTS];
};

enum session_state {
	SESSION_RUNNING = 1,
	SESSION_EXITED = 2,	/* our destructor ran; anything else is a kill, exec or _exit */
};

/* Why memory is (not) recorded; bits of session_header.flags. */
#define SESSION_NOT_INTERPOSED	1u	/* the host brings its own malloc, nothing was seen */
#define SESSION_FULL		2u	/* a table is full; what came later is not recorded */
#define SESSION_FORKED		4u	/* continued from a forked parent (parent_pid) */
#define SESSION_HEAP_FULL	8u	/* module heap exhausted: some blocks went untracked */

struct session_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;		/* sizeof(struct session_header) */
	uint32_t extent_size;		/* SESSION_EXTENT_SIZE */
	uint32_t extent_count;		/* extents in the file, the header's included */
	uint32_t state;			/* enum session_state */
	uint32_t flags;
	int32_t pid;
	int32_t parent_pid;		/* the process it was forked from, or 0 */
	uint64_t start_ticks;		/* field 22 of /proc/PID/stat: tells a reused pid */
	uint64_t started_ns;		/* CLOCK_REALTIME at creation */
	uint64_t ended_ns;		/* CLOCK_REALTIME, 0 while running */
	uint32_t host_object;		/* index into SESSION_OBJECTS: the program */
	uint32_t command_line;		/* string: arguments joined by a blank each */
	uint32_t run_id;		/* string: RELIB_RUN of the environment, or 0 */
	uint32_t frames_wanted;		/* frames recorded per allocation */
	uint32_t leaks_policy;		/* enum session_leaks */
	uint32_t threads_policy;	/* enum session_threads */
	uint32_t timeout_ms;		/* of an unload, 0: none */
	uint32_t fds_policy;		/* enum session_fds */
	uint32_t names_policy;		/* enum session_names */
	uint32_t spare[5];
	struct session_table_head table[SESSION_TABLES];
};
_Static_assert(sizeof(struct session_header) <= SESSION_EXTENT_SIZE, "header fits extent 0");

enum session_leaks { SESSION_LEAKS_FREE, SESSION_LEAKS_REPORT, SESSION_LEAKS_OFF };
enum session_threads { SESSION_THREADS_DEFER, SESSION_THREADS_REFUSE };
enum session_fds { SESSION_FDS_REPORT, SESSION_FDS_CLOSE };
enum session_names { SESSION_NAMES_REPORT, SESSION_NAMES_REMOVE };

enum session_object_kind {
	SESSION_OBJECT_HOST = 1,	/* program, a library loaded at start, or an untracked one */
	SESSION_OBJECT_RUNTIME,		/* C and C++ runtime */
	SESSION_OBJECT_LOADER,		/* the dynamic loader */
	SESSION_OBJECT_SHIM,		/* librelib.so */
	SESSION_OBJECT_MODULE,		/* tracked */
};

/* One ELF file with one content.  A rebuilt plugin is another object. */
struct session_object {
	uint32_t path;			/* string: real path, "" if it has none */
	uint32_t soname;		/* string, 0 if none */
	uint32_t kind;			/* enum session_object_kind */
	uint32_t build_id_size;		/* bytes, 0 if none */
	uint8_t build_id[32];
	uint64_t content_hash;		/* of the file when it has no build-id, else 0 */
	uint32_t copy;			/* string: name of the kept file below
					 * SESSION_OBJECTS_DIR beside the session's folder,
					 * 0 if not kept */
	int32_t copy_errno;		/* why not kept, or 0 */
	uint64_t base;			/* load bias when last seen mapped, 0 if unknown */
	uint64_t size;			/* bytes mapped, from the first to the last segment */
	uint32_t generations;		/* loads so far of this content */
	uint32_t spare[11];
};
_Static_assert(sizeof(struct session_object) == 128, "session_object");

enum session_generation_state {
	SESSION_LOADED = 1,
	SESSION_UNLOADED,	/* unmapped, its memory looked through */
	SESSION_UNLOADED_BLIND,	/* unmapped, but not looked through: see stop_errno */
};

/* How the last dlclose that should have unloaded it ended; read only while state is LOADED. */
enum session_closing {
	SESSION_OPEN,		/* nobody asked for it to go, or it was opened again since */
	SESSION_STAYED,		/* the loader kept it: its current SESSION_STAYS say why */
	SESSION_DEFERRED,	/* dlclose returned 0; goes when the threads have left */
	SESSION_REFUSED,	/* dlclose failed because of threads */
	SESSION_ABANDONED,	/* a finalizer did not come back; left loaded for ever */
};

/* Bits of session_generation.how: what happened on the way to its unload. */
#define SESSION_FINALIZED_EARLY	1u	/* finalizers ran before it was known whether it may go */
#define SESSION_WAS_DEFERRED	2u
#define SESSION_WAS_REFUSED	4u
#define SESSION_REVIVED		8u	/* opened again while deferred */
#define SESSION_TIMED_OUT	16u	/* an unload took longer than the timeout */
#define SESSION_GUARDED		32u	/* its addresses were held back, for a while at least */

enum session_stop { SESSION_STOP_NONE, SESSION_STOP_PTRACE, SESSION_STOP_SIGNAL };

/* One load of a module. */
struct session_generation {
	uint32_t object;
	uint32_t number;		/* counted from 1 per path */
	uint32_t parent;		/* generation that brought it, 0: dlopened itself */
	uint32_t state;			/* enum session_generation_state */
	uint64_t base;			/* load bias */
	uint64_t start, size;		/* first mapped address and length, bytes */
	uint64_t loaded_ns, unloaded_ns;	/* CLOCK_REALTIME, 0: not yet */
	uint64_t leaked_blocks, leaked_bytes;	/* residue that nothing referred to at unload */
	uint64_t kept_blocks, kept_bytes;	/* residue still referred to, as of the last look */
	uint64_t runtime_blocks, runtime_bytes;	/* residue the C library itself holds, last look */
	uint64_t reclaimed_blocks, reclaimed_bytes;	/* freed by relib so far */
	uint32_t residue_first, residue_count;	/* its records in SESSION_RESIDUES */
	uint32_t stop;			/* enum session_stop: how the world was stopped */
	int32_t stop_errno;		/* why it could not be, or 0 */
	uint64_t looked_bytes;		/* memory looked through */
	uint64_t look_ns, stop_ns;	/* time for the look; time the threads stood still */
	uint32_t threads;		/* threads that were stopped, the caller included */
	uint32_t closing;		/* enum session_closing */
	uint32_t how;			/* SESSION_FINALIZED_EARLY and so on */
	uint32_t deferrals, refusals, revivals;	/* times */
	uint32_t locals_run;		/* thread-local destructors run by the unload */
	uint32_t locals_dropped;	/* those of other threads, never to be run */
	uint32_t keys_deleted;		/* pthread keys that it had left */
	uint32_t key_values_run;	/* key destructors run by the unload */
	uint32_t dangling;		/* distinct places outside that point into its image */
	uint32_t taken_back;		/* hooks undone: signal handlers, timers and so on */
	uint64_t check_ns;		/* time the threads stood still before the unload */
	uint64_t opens, closes;		/* dlopen and dlclose calls for it so far */
	uint32_t spare[6];
};
_Static_assert(sizeof(struct session_generation) == 256, "session_generation");

/*
 * A frame of a stack: the object (0: none known, the offset is an absolute
 * address) and the return address as an ELF virtual address of that object.
 * Symbolise frame-1, the call instruction.
 */
#define SESSION_FRAME_OBJECT(f)		((uint32_t)((f) >> 48))
#define SESSION_FRAME_OFFSET(f)		((f) & UINT64_C(0xffffffffffff))
#define SESSION_FRAME(object, offset)	((uint64_t)(object) << 48 | \
					 ((uint64_t)(offset) & UINT64_C(0xffffffffffff)))

#define SESSION_PLACE_CUT	1u	/* the stack goes on, but could not be followed */

/*
 * A place: a module, and one call stack on which it acquired memory.
 *
 * Totals: a reader adds, to what stands here, the deltas of the same place in
 * every struct session_counters.  live = alloc - free - reclaimed.
 */
struct session_place {
	uint32_t object;		/* the owner: a module's object; 0: place 1, the loader's */
	uint32_t frame;			/* first frame, innermost first */
	uint16_t frame_count;
	uint16_t flags;			/* SESSION_PLACE_* */
	uint32_t owner_frame;		/* index, from 0, of the frame that decided the owner */
	uint64_t alloc_blocks, alloc_bytes;	/* bytes as asked for */
	uint64_t free_blocks, free_bytes;	/* by the program, from anywhere */
	uint64_t leaked_blocks, leaked_bytes;	/* found leaked at unloads, all generations */
	uint64_t reclaimed_blocks, reclaimed_bytes;	/* freed by relib */
	uint64_t kept_blocks, kept_bytes;	/* of unloaded generations, as of the last look */
	uint64_t runtime_blocks, runtime_bytes;	/* the part of those the C library holds itself
						 * (stdout's buffer); not in kept_* */
	uint32_t late_frees;		/* free() of a block that relib had freed; swallowed */
	uint32_t late_free_frame_spare;
	uint64_t late_free_frame;	/* last caller of such a free, as a frame */
	uint64_t threads_started;	/* threads created on this stack */
	uint64_t threads_ended;		/* of those: over, with all of their destructors */
};
_Static_assert(sizeof(struct session_place) == 144, "session_place");

enum session_root_kind {
	SESSION_ROOT_NONE,
	SESSION_ROOT_GLOBAL,	/* object + offset (ELF virtual address) */
	SESSION_ROOT_HEAP,	/* address, in memory of the host's allocator or its own mmap */
	SESSION_ROOT_STACK,	/* address, thread tid */
	SESSION_ROOT_REGISTER,	/* thread tid, reg: enum order of struct user_regs_struct; 255 vector */
	SESSION_ROOT_THREAD,	/* the thread's descriptor: thread-specific data, thread-locals */
	SESSION_ROOT_BLOCK,	/* a block of a module: place */
	SESSION_ROOT_MAPPING,	/* address, in a shared mapping */
	SESSION_ROOT_RUNTIME,	/* object + offset: the C library's own data */
};

struct session_root {
	uint8_t kind;			/* enum session_root_kind */
	uint8_t reg;
	uint16_t spare;
	uint32_t object;		/* object, or tid, or place, by kind */
	uint64_t offset;		/* in the object, or from the stack pointer, or in the block */
	uint64_t address;		/* where the reference lies */
};

/* What one generation left at one place, written at its unload. */
struct session_residue {
	uint32_t generation;
	uint32_t place;
	uint64_t alloc_blocks, alloc_bytes;	/* acquired by this generation at this place */
	uint64_t leaked_blocks, leaked_bytes;	/* at its unload */
	uint64_t kept_blocks, kept_bytes;	/* as of the last look */
	uint64_t runtime_blocks, runtime_bytes;	/* as of the last look */
	uint64_t reclaimed_blocks, reclaimed_bytes;
	struct session_root root;	/* the first place that refers to a kept block */
	uint64_t spare;
};
_Static_assert(sizeof(struct session_residue) == 120, "session_residue");

/* One thread's not yet folded deltas.  Direct-mapped by place. */
#define SESSION_COUNTERS_ENTRIES 1024u
struct session_counter {
	uint32_t place;			/* 0: empty */
	uint32_t spare;
	uint64_t alloc_blocks, alloc_bytes, free_blocks, free_bytes;
};
struct session_counters {
	int32_t tid;			/* 0: not in use, all entries are empty */
	uint32_t spare[15];
	struct session_counter entry[SESSION_COUNTERS_ENTRIES];
};
_Static_assert(sizeof(struct session_counters) <= SESSION_EXTENT_SIZE, "session_counters");

enum session_note_kind {
	SESSION_NOTE_DEEPBIND = 1,	/* RTLD_DEEPBIND taken away; object or text = the library */
	SESSION_NOTE_LATE_FREE,		/* place, frame = caller */
	SESSION_NOTE_DOUBLE_FREE,	/* place 0; frame = caller, text = address in hex */
	SESSION_NOTE_NOT_STOPPED,	/* the world could not be stopped; text says why */
	SESSION_NOTE_UNTRACKED,		/* blocks that went to the host's heap; text says why */
	SESSION_NOTE_NOT_COPIED,	/* object could not be kept; text says why */
	SESSION_NOTE_LATE_CALL,		/* a fault in the addresses of an unloaded generation;
					 * frame: the address, stack: how it came there, return
					 * addresses (but for a first frame that equals frame) */
	SESSION_NOTE_TIMEOUT,		/* an unload of generation is waiting: one note for each
					 * thread, the unloading one first, with its stack, as of
					 * struct session_thread; text: the thread's name */
};

struct session_note {
	uint32_t kind;			/* enum session_note_kind */
	uint32_t object;
	uint32_t place;
	uint32_t text;			/* string */
	uint64_t frame;
	uint64_t count;			/* times */
	uint64_t first_ns;		/* CLOCK_REALTIME */
	uint32_t generation;		/* 0: none */
	uint32_t stack;			/* first of stack_count records in SESSION_FRAMES, 0: none */
	uint32_t stack_count;
	uint32_t thread;		/* tid, 0: none */
};
_Static_assert(sizeof(struct session_note) == 56, "session_note");

enum session_thread_state {
	SESSION_THREAD_FREE,		/* the record may be used again */
	SESSION_THREAD_STARTING,	/* pthread_create was called, it has no tid yet */
	SESSION_THREAD_RUNNING,
};

/*
 * A thread that a module created and that is not over, or a host's thread that
 * an unload waits for.  Records are used again; totals stand in the places.
 */
struct session_thread {
	uint32_t state;			/* enum session_thread_state */
	int32_t tid;
	uint32_t generation;		/* its owner, 0: the host */
	uint32_t place;			/* where it was created, 0: not known */
	char name[16];			/* NUL-terminated, as of the last look at it */
	uint64_t started_ns;		/* CLOCK_REALTIME, 0: not known */
	uint64_t start;			/* start routine, as a frame */
	uint32_t blocks;		/* the generation whose unload waits for it, 0: none */
	uint32_t stack;			/* where it stood then: SESSION_FRAMES, innermost first;
					 * the first frame is the instruction it is at, the
					 * others are return addresses */
	uint16_t stack_count;
	uint16_t stack_flags;		/* SESSION_PLACE_CUT */
	uint32_t module_frame;		/* index, from 0, of the first frame in that module;
					 * stack_count: none, it is the module's own thread */
	uint32_t spare[4];
};
_Static_assert(sizeof(struct session_thread) == 80, "session_thread");

/*
 * Why a module is still there after dlclose; or, if nobody asked for it to go
 * (SESSION_OPEN), though the generation that brought it is gone.
 */
enum session_stay_kind {
	SESSION_STAY_NODELETE_FILE = 1,	/* linked with -z nodelete (DF_1_NODELETE) */
	SESSION_STAY_NODELETE_OPEN,	/* opened with RTLD_NODELETE; place: by whom */
	SESSION_STAY_UNIQUE,		/* text: the STB_GNU_UNIQUE symbol; object: who uses it */
	SESSION_STAY_OPEN,		/* still open count times */
	SESSION_STAY_OPENED_FROM,	/* one caller of dlopen: stack; count: how often */
	SESSION_STAY_NEEDED,		/* object needs it */
	SESSION_STAY_BOUND,		/* object has bound symbols of it; text: one of them */
	SESSION_STAY_LOCALS,		/* pinned by count thread-local destructors */
	SESSION_STAY_THREAD,		/* thread: record in SESSION_THREADS; deferred or refused */
	SESSION_STAY_TIMEOUT,		/* a finalizer did not come back: abandoned */
	SESSION_STAY_UNKNOWN,		/* the loader keeps it, and we do not see why */
};

struct session_stay {
	uint32_t generation;		/* that stays */
	uint32_t kind;			/* enum session_stay_kind */
	uint32_t object;		/* SESSION_OBJECTS, 0: none */
	uint32_t text;			/* string, 0: none */
	uint32_t count;
	uint32_t thread;		/* record in SESSION_THREADS, 0: none */
	uint32_t current;		/* 1: true as of the last dlclose, 0: was true once */
	uint32_t stack;			/* SESSION_FRAMES, 0: none */
	uint32_t stack_count;
	uint32_t spare[7];
};
_Static_assert(sizeof(struct session_stay) == 64, "session_stay");

/* What pointed into the image of a module that was unloaded. */
enum session_dangling_kind {
	SESSION_DANGLING_MEMORY = 1,	/* a word; root says where */
	SESSION_DANGLING_SIGNAL,	/* number: the signal whose handler it was */
	SESSION_DANGLING_TIMER,		/* timer_create(SIGEV_THREAD) */
	SESSION_DANGLING_ON_EXIT,
	SESSION_DANGLING_QUICK_EXIT,
	SESSION_DANGLING_ENVIRON,	/* text: the string */
	SESSION_DANGLING_BUFFER,	/* setvbuf; text: the stream ("stdout") */
	SESSION_DANGLING_OPENLOG,	/* the ident; text: it */
	SESSION_DANGLING_FORK,		/* pthread_atfork, in somebody else's name */
	SESSION_DANGLING_COOKIE,	/* a function of a stream of fopencookie */
};

struct session_dangling {
	uint32_t generation;		/* whose image */
	uint32_t kind;			/* enum session_dangling_kind */
	uint64_t target;		/* ELF virtual address in that object */
	uint32_t count;			/* words of this kind of place with this target */
	uint32_t number;
	uint32_t text;			/* string, 0: none */
	uint32_t taken_back;		/* 1: it can do no harm any more */
	uint32_t place;			/* by which stack it came there, 0: not known */
	uint32_t spare[3];
	struct session_root root;
};
_Static_assert(sizeof(struct session_dangling) == 72, "session_dangling");

/* What a module can acquire besides memory, threads, thread-locals and keys. */
enum session_resource {
	SESSION_DESCRIPTOR = 1,		/* number: the descriptor */
	SESSION_STREAM,			/* a FILE, with its descriptor; number: its address */
	SESSION_DIRECTORY,		/* a DIR, with its descriptor; number: its address */
	SESSION_MAPPING,		/* mmap; number: the address, bytes */
	SESSION_SEGMENT,		/* shmat; number: the address, bytes */
	SESSION_SHM_NAME,		/* shm_open(O_CREAT); text: the name */
	SESSION_SHM_ID,			/* shmget; number: the id */
	SESSION_SEM,			/* sem_open; number: the address, text: the name */
	SESSION_SEM_NAME,		/* sem_open(O_CREAT); text: the name */
	SESSION_SEM_ID,			/* semget; number: the id */
	SESSION_QUEUE_NAME,		/* mq_open(O_CREAT); text: the name */
	SESSION_QUEUE_ID,		/* msgget; number: the id */
	SESSION_TEMPORARY,		/* a file or directory of mkstemp or mkdtemp; text: its path */
	SESSION_TIMER,			/* timer_create; number: the signal, 0: none */
	SESSION_INTERVAL_TIMER,		/* setitimer, alarm; number: ITIMER_* */
	SESSION_SIGNAL_HANDLER,		/* number: the signal */
	SESSION_SIGNAL_STACK,		/* number: the address, bytes */
	SESSION_EXIT_HANDLER,		/* atexit, on_exit, at_quick_exit */
	SESSION_FORK_HANDLER,		/* pthread_atfork */
	SESSION_ENVIRONMENT,		/* setenv, putenv, unsetenv; text: the variable's name */
	SESSION_SYSLOG,			/* openlog; text: the ident */
	SESSION_LOCALE,			/* setlocale; text: the category, and what was changed to what */
	SESSION_BUFFER,			/* setvbuf of a standard stream; text: the stream */
	SESSION_HANDLE,			/* dlopen; text: the library */
	SESSION_CHILD,			/* fork, vfork, posix_spawn; number: the pid */
	SESSION_MUTEX,			/* and rwlocks; number: the address, text: what it is */
	SESSION_FILE_LOCK,		/* flock, fcntl, lockf; number: the descriptor, text: the lock */
	SESSION_UMASK,			/* text: what was changed to what */
	SESSION_WORKING_DIRECTORY,	/* text: what was changed to what */
	SESSION_RESOURCES
};

/*
 * What one generation acquired of one kind at one place.  Held: acquired less
 * given_back.  Once it is unloaded, that is what it had left, and of it
 * taken_back and later are gone since.  Bytes count mappings and segments only.
 */
struct session_balance {
	uint32_t generation;
	uint32_t kind;			/* enum session_resource */
	uint32_t place;
	uint32_t leftovers;		/* records in SESSION_LEFTOVERS; at most
					 * SESSION_LEFTOVERS_MOST, the rest is only counted */
	uint64_t acquired, acquired_bytes;
	uint64_t given_back, given_back_bytes;	/* by the program, before the unload */
	uint64_t taken_back, taken_back_bytes;	/* closed, unmapped, undone by relib */
	uint64_t later, later_bytes;	/* given back by the program after the unload */
	uint32_t spare[4];
};
_Static_assert(sizeof(struct session_balance) == 96, "session_balance");

#define SESSION_LEFTOVERS_MOST 64u

enum session_leftover_state {
	SESSION_LEFT = 1,		/* as it was */
	SESSION_KEPT,			/* outside of the module something refers to it: root */
	SESSION_TAKEN_BACK,		/* by relib */
	SESSION_GIVEN_BACK,		/* by the program, after the unload */
};

/* One thing that a generation had left when it was unloaded. */
struct session_leftover {
	uint32_t balance;		/* tells its generation, kind and place */
	uint32_t state;			/* enum session_leftover_state */
	uint64_t number;		/* as enum session_resource says */
	uint64_t bytes;
	uint32_t text;			/* string: what it is, 0: not known */
	uint32_t why;			/* string: why relib did not take it back though it was
					 * asked to, 0: it did, or was not asked */
	struct session_root root;	/* of SESSION_KEPT */
	uint32_t spare[4];
};
_Static_assert(sizeof(struct session_leftover) == 72, "session_leftover");

#endif

/* SPDX-License-Identifier: MIT */
#include "elf/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int image_open_file(struct image *image, struct error *error)
{
	const char *path = image->path;

	/* O_NONBLOCK: a FIFO must not be waited for. */
	image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (image->fd < 0) {
		switch (errno) {
		case ENOENT:
			return error_set(error, ENOENT, "%s: no such file", path);
		case ENOTDIR:
			return error_set(error, ENOTDIR,
				"%s: no such file: a part of its path is not a folder", path);
		case EACCES:
		case EPERM:
			return error_set(error, errno,
				"%s: permission denied: it must be readable for you", path);
		default:
			return error_set(
				error, errno, "%s: cannot be opened: %s", path, strerror(errno));
		}
	}
	if (fstat(image->fd, &image->stat) < 0)
		return error_set(error, errno, "%s: cannot be read: %s", path, strerror(errno));
	if (S_ISDIR(image->stat.st_mode))
		return error_set(error, EISDIR, "%s: is a folder, not a regular file", path);
	if (!S_ISREG(image->stat.st_mode))
		return error_set(error, EINVAL, "%s: is not a regular file", path);
	return 0;
}

static int image_open_elf(struct image *image, struct error *error)
{
	const char *path = image->path;
	char magic[SELFMAG];
	ssize_t n;

	elf_version(EV_CURRENT);
	n = pread(image->fd, magic, sizeof(magic), 0);
	if (n < 0)
		return error_set(error, errno, "%s: cannot be read: %s", path, strerror(errno));
	if (n == 0)
		return error_set(error, ENOEXEC,
			"%s: is empty, not an ELF file: is it still being written?", path);
	if (n != sizeof(magic) || memcmp(magic, ELFMAG, SELFMAG) != 0)
		return error_set(error, ENOEXEC, "%s: is not an ELF file%s", path,
			n >= 2 && memcmp(magic, "#!", 2) == 0 ? " but a script" : "");
	if (image->stat.st_size < (off_t)sizeof(Elf32_Ehdr))
		return error_set(error, ENOEXEC,
			"%s: is truncated within its ELF header: build or copy it anew", path);
	image->elf = elf_begin(image->fd, ELF_C_READ, NULL);
	if (!image->elf || !gelf_getehdr(image->elf, &image->header))
		return error_set(
			error, ENOEXEC, "%s: is not a valid ELF file: %s", path, elf_errmsg(-1));
	return 0;
}

int image_open(struct image *image, const char *path, struct error *error)
{
	memset(image, 0, sizeof(*image));
	image->path = path;
	image->fd = -1;
	if (image_open_file(image, error) < 0)
		return -1;
	return image_open_elf(image, error);
}

void image_close(struct image *image)
{
	if (image->elf)
		elf_end(image->elf);
	if (image->fd >= 0)
		close(image->fd);
	image->elf = NULL;
	image->fd = -1;
}

static const char *machine_name(unsigned int machine)
{
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = {
		{EM_386, "x86"},
		{EM_X86_64, "x86-64"},
		{EM_ARM, "ARM"},
		{EM_AARCH64, "AArch64"},
		{EM_RISCV, "RISC-V"},
		{EM_PPC64, "PowerPC64"},
		{EM_S390, "S/390"},
		{EM_MIPS, "MIPS"},
		{EM_SPARCV9, "SPARC64"},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "another machine";
}

#if defined(__x86_64__)
#define MACHINE_HERE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE_HERE EM_AARCH64
#else
#error "unknown machine"
#endif

int image_check_machine(const struct image *image, struct error *error)
{
	const unsigned char *ident = image->header.e_ident;
	const char *here = machine_name(MACHINE_HERE);

	if (ident[EI_CLASS] != ELFCLASS64)
		return error_set(error, ENOEXEC,
			"%s: is a 32-bit file (%s): build it for 64-bit %s", image->path,
			machine_name(image->header.e_machine), here);
	if (ident[EI_DATA] !=
		(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB))
		return error_set(error, ENOEXEC,
			"%s: has the byte order of another machine: build it for %s", image->path,
			here);
	if (image->header.e_machine != MACHINE_HERE)
		return error_set(error, ENOEXEC,
			"%s: is built for %s (machine %u): build it for %s", image->path,
			machine_name(image->header.e_machine), image->header.e_machine, here);
	return 0;
}

static bool range_is_within(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static int image_truncated(const struct image *image, const char *what, struct error *error)
{
	return error_set(error, ENOEXEC,
		"%s: is truncated: its %s past the end of the file; build or copy it anew, whole",
		image->path, what);
}

int image_check_whole(const struct image *image, struct error *error)
{
	const GElf_Ehdr *h = &image->header;
	uint64_t size = image->stat.st_size;
	GElf_Phdr segment;
	size_t n, i;

	if (h->e_phnum && !range_is_within(h->e_phoff, (uint64_t)h->e_phnum * h->e_phentsize, size))
		return image_truncated(image, "program headers reach", error);
	/* Segments before sections: a file without section table is still loadable. */
	if (elf_getphdrnum(image->elf, &n) < 0)
		return image_truncated(image, "program headers reach", error);
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(image->elf, i, &segment))
			return image_truncated(image, "program headers reach", error);
		if (!range_is_within(segment.p_offset, segment.p_filesz, size))
			return image_truncated(image, "segments reach", error);
	}
	if (h->e_shoff && !range_is_within(h->e_shoff, (uint64_t)h->e_shnum * h->e_shentsize, size))
		return image_truncated(image, "section table reaches", error);
	return 0;
}

/* The value of one dynamic entry, false if there is none. */
static bool image_dynamic(const struct image *image, int64_t tag, uint64_t *value)
{
	GElf_Phdr segment;
	Elf_Data *data;
	GElf_Dyn entry;
	size_t n, i;
	int k;

	if (elf_getphdrnum(image->elf, &n) < 0)
		return false;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(image->elf, i, &segment) || segment.p_type != PT_DYNAMIC)
			continue;
		data = elf_getdata_rawchunk(
			image->elf, segment.p_offset, segment.p_filesz, ELF_T_DYN);
		for (k = 0; data && gelf_getdyn(data, k, &entry) && entry.d_tag != DT_NULL; k++) {
			if (entry.d_tag == tag) {
				*value = entry.d_un.d_val;
				return true;
			}
		}
	}
	return false;
}

int image_check_shared(const struct image *image, struct error *error)
{
	const char *path = image->path;
	uint64_t flags;

	switch (image->header.e_type) {
	case ET_DYN:
		break;
	case ET_REL:
		return error_set(error, ENOEXEC,
			"%s: is an object file, not a shared object: link it with -shared", path);
	case ET_EXEC:
		return error_set(error, ENOEXEC,
			"%s: is a program, not a shared object: link it with -shared", path);
	case ET_CORE:
		return error_set(error, ENOEXEC, "%s: is a core dump, not a shared object", path);
	default:
		return error_set(error, ENOEXEC, "%s: is not a shared object", path);
	}
	if (!image_dynamic(image, DT_SYMTAB, &flags))
		return error_set(error, ENOEXEC,
			"%s: has no dynamic section: it is a static program or holds debug "
			"information only",
			path);
	if (image_dynamic(image, DT_FLAGS_1, &flags) && (flags & DF_1_PIE))
		return error_set(error, ENOEXEC,
			"%s: is a program, not a shared object: link it with -shared", path);
	return 0;
}

const char *image_interpreter(const struct image *image)
{
	GElf_Phdr segment;
	const char *whole;
	size_t n, i, size;

	whole = elf_rawfile(image->elf, &size);
	if (!whole || elf_getphdrnum(image->elf, &n) < 0)
		return NULL;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(image->elf, i, &segment) || segment.p_type != PT_INTERP)
			continue;
		if (!range_is_within(segment.p_offset, segment.p_filesz, size) ||
			!segment.p_filesz || whole[segment.p_offset + segment.p_filesz - 1] != '\0')
			return NULL;
		return whole + segment.p_offset;
	}
	return NULL;
}

/* Notes of one segment or section, which the file may pad to 4 or 8 bytes. */
static bool notes_build_id(Elf_Data *data, struct build_id *id)
{
	size_t offset = 0, next, name, desc;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, offset, &note, &name, &desc)) > 0) {
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof("GNU") &&
			memcmp((char *)data->d_buf + name, "GNU", sizeof("GNU")) == 0) {
			id->size = note.n_descsz < BUILD_ID_MAX ? note.n_descsz : BUILD_ID_MAX;
			memcpy(id->bytes, (char *)data->d_buf + desc, id->size);
			return true;
		}
		offset = next;
	}
	return false;
}

void image_build_id(const struct image *image, struct build_id *id)
{
	GElf_Phdr segment;
	size_t n, i;

	memset(id, 0, sizeof(*id));
	if (elf_getphdrnum(image->elf, &n) < 0)
		return;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(image->elf, i, &segment) || segment.p_type != PT_NOTE)
			continue;
		if (notes_build_id(
			    elf_getdata_rawchunk(image->elf, segment.p_offset, segment.p_filesz,
				    segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR),
			    id))
			return;
	}
}

void build_id_read(const char *path, struct build_id *id)
{
	struct image image;
	struct error error;

	memset(id, 0, sizeof(*id));
	if (image_open(&image, path, &error) == 0)
		image_build_id(&image, id);
	image_close(&image);
}

/* SPDX-License-Identifier: MIT */
/*
 * Loads each plugin and unloads it at once, and says whether it is gone: one
 * line "gone PATH", "stays PATH" or "fails PATH: WHY" each.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>

static ElfW(Addr) dynamic_address;

/* A file that is loaded again is another object, wherever it lies: nothing is loaded in between. */
static int object_look(struct dl_phdr_info *info, size_t size, void *found)
{
	ElfW(Half) i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC &&
			info->dlpi_addr + info->dlpi_phdr[i].p_vaddr == dynamic_address)
			*(bool *)found = true;
	return 0;
}

static void plugin_try(const char *path)
{
	struct link_map *map;
	bool found = false;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		printf("fails %s: %s\n", path, dlerror());
		return;
	}
	dlinfo(handle, RTLD_DI_LINKMAP, &map);
	dynamic_address = (ElfW(Addr))map->l_ld;
	dlclose(handle);
	dl_iterate_phdr(object_look, &found);
	printf("%s %s\n", found ? "stays" : "gone", path);
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (i = 1; i < argc; i++)
		plugin_try(argv[i]);
	return 0;
}

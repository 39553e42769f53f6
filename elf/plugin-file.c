/* SPDX-License-Identifier: MIT */
#include "elf/plugin-file.h"

#include "elf/image.h"

int plugin_file_check(const char *path, struct error *error)
{
	struct image image;
	int result = -1;

	if (image_open(&image, path, error) == 0 && image_check_machine(&image, error) == 0 &&
		image_check_whole(&image, error) == 0 && image_check_shared(&image, error) == 0)
		result = 0;
	image_close(&image);
	return result;
}

/* Stands in for libFuzzer in `make check`: feeds a target every file of its
 * corpus, and every file cut short, so that a crash once found stays found.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly `size` bytes, so that reading past them is seen by ASan. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int replay(const char *directory, const char *name)
{
	static uint8_t data[1 << 20];
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "rb");
	if (!file)
		return 0;
	size_t size = fread(data, 1, sizeof(data), file);
	fclose(file);

	size_t step = size / 16 + 1;
	for (size_t cut = 0; cut < size; cut += step)
		run(data, cut);
	run(data, size);
	return 1;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *target = slash ? slash + 1 : argv[0];
	char directory[768];
	int files = 0;

	if (argc > 1)
		snprintf(directory, sizeof(directory), "%s", argv[1]);
	else
		snprintf(directory, sizeof(directory), "%s/%s", FUZZ_CORPUS, target);
	DIR *handle = opendir(directory);
	if (handle) {
		for (struct dirent *entry; (entry = readdir(handle));) {
			if (entry->d_name[0] != '.')
				files += replay(directory, entry->d_name);
		}
		closedir(handle);
	}
	printf("1..1\n%s 1 - %s replays %d files\n", files ? "ok" : "not ok", target, files);
	return files ? EXIT_SUCCESS : EXIT_FAILURE;
}

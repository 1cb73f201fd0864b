/*
 * info_devices.c - the GPUs that a process has used, for vprof info.
 */
#include "tools/cli.h"
#include "tools/info.h"

const struct vprof_def_device *info_next_device(const struct ring *ring, const struct vprof_def *def)
{
	while ((def = ring_def_next(ring, def)) && def->type != VPROF_DEF_DEVICE)
		;
	return (const void *)def;
}

char *info_uuid_text(char *text, const struct vprof_def_device *device)
{
	char *p = text;

	for (size_t i = 0; i < sizeof(device->uuid); i++)
		p += sprintf(p, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", device->uuid[i]);
	return text;
}

void info_devices_text(struct cli_table *table, const struct ring *ring)
{
	const struct vprof_def_device *device;
	char size[32];

	for (device = info_next_device(ring, NULL); device; device = info_next_device(ring, &device->head)) {
		cli_table_pair(table, "device",
			       "%d: %s, %u multiprocessors, %s, compute capability %u.%u, driver of CUDA %u.%u",
			       device->ordinal, device->name, device->sm_count,
			       cli_size_text(size, sizeof(size), device->memory), device->major, device->minor,
			       device->driver / 1000, device->driver % 1000 / 10);
	}
}

void info_devices_json(const struct ring *ring, FILE *out)
{
	const struct vprof_def_device *device;
	char uuid[INFO_UUID_SIZE];
	int count = 0;

	fputs("  \"devices\": [", out);
	for (device = info_next_device(ring, NULL); device; device = info_next_device(ring, &device->head)) {
		fprintf(out, "%s{\"ordinal\": %d, \"name\": ", count++ ? ", " : "", device->ordinal);
		cli_json_string(out, device->name);
		fprintf(out, ", \"uuid\": \"%s", info_uuid_text(uuid, device));
		fprintf(out,
			"\", \"memory\": %llu, \"multiprocessors\": %u, \"capability\": \"%u.%u\", \"driver\": %u}",
			(unsigned long long)device->memory, device->sm_count, device->major, device->minor,
			device->driver);
	}
	fputs("],\n", out);
}

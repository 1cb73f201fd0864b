/*
 * verify_rings.c - reads what the rings of the run under vprof say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/recorded.h"
#include "tools/verify_read.h"

int verify_read_rings(struct verify *verify, struct verify_source *source, const char *folder, const char *program)
{
	struct run_folder run = { .real = (char *)folder };
	struct recorded recorded;
	int error = recorded_count(&recorded, &run);

	(void)verify;
	*source = (struct verify_source){ 0 };
	if (error) {
		fprintf(stderr, "%s: %s: %s\n", program, folder, strerror(-error));
		return error;
	}
	source->processes = recorded.processes;
	source->launches = recorded.launches + recorded.graph_launches;
	return 0;
}

/*
 * info_spill.c - what `vprof info` says of the files that keep what a ring has overwritten.
 */
#include <stdio.h>
#include "tools/cli.h"
#include "tools/info.h"
#include "tools/spill.h"

/* Every file that looks like one of this ring's, sound or not. */
static int has_spill(const struct ring *ring, struct spill_sums *sums)
{
	if (!ring->spill)
		return 0;
	spill_sums(ring->spill, sums);
	return sums->files || sums->bad_files;
}

void info_spill_text(struct cli_table *table, const struct ring *ring)
{
	struct spill_sums s;
	char size[32], torn[32];

	if (!has_spill(ring, &s))
		return;
	cli_table_pair(table, "spill", "%llu %s in %llu %s, %s in %llu %s, %.1f bytes a record",
		       (unsigned long long)s.records, cli_word(s.records, "record", "records"),
		       (unsigned long long)s.chunks, cli_word(s.chunks, "chunk", "chunks"),
		       cli_size_text(size, sizeof(size), s.bytes),
		       (unsigned long long)s.files, cli_word(s.files, "file", "files"),
		       s.records ? (double)s.bytes / (double)s.records : 0);
	if (s.dropped_files)
		cli_table_pair(table, "", "%llu %s with %llu %s deleted, for VPROF_SPILL_MB",
			       (unsigned long long)s.dropped_files, cli_word(s.dropped_files, "file", "files"),
			       (unsigned long long)s.dropped_chunks, cli_word(s.dropped_chunks, "chunk", "chunks"));
	if (s.torn_bytes)
		cli_table_pair(table, "", "%s behind the last whole frame: it was being written",
			       cli_size_text(torn, sizeof(torn), s.torn_bytes));
	if (s.bad_frames)
		cli_table_pair(table, "damaged", "%llu %s of the spill left out",
			       (unsigned long long)s.bad_frames, cli_word(s.bad_frames, "frame", "frames"));
	if (s.bad_files)
		cli_table_pair(table, "damaged", "%llu %s no spill of this ring",
			       (unsigned long long)s.bad_files,
			       cli_word(s.bad_files, "file beside it is", "files beside it are"));
}

void info_spill_json(const struct ring *ring, FILE *out)
{
	struct spill_sums s;

	if (!has_spill(ring, &s))
		return;
	fprintf(out,
		"  \"spill\": {\"files\": %llu, \"bytes\": %llu, \"frames\": %llu, \"chunks\": %llu, "
		"\"records\": %llu, \"dropped_files\": %llu, \"dropped_chunks\": %llu, \"torn_bytes\": %llu, "
		"\"bad_frames\": %llu, \"bad_files\": %llu},\n", (unsigned long long)s.files,
		(unsigned long long)s.bytes, (unsigned long long)s.frames, (unsigned long long)s.chunks,
		(unsigned long long)s.records, (unsigned long long)s.dropped_files,
		(unsigned long long)s.dropped_chunks, (unsigned long long)s.torn_bytes,
		(unsigned long long)s.bad_frames, (unsigned long long)s.bad_files);
}

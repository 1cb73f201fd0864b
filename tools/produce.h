/*
 * produce.h - from a trace to a file: merge, format, pack, write, on all cores.
 *
 * Each worker in turn takes the next batch of events from the merge (one at a
 * time), formats and packs it (side by side with the others), and writes it when
 * the batches before it have been written (one at a time). So the order of the
 * file is that of the merge, whatever the number of workers.
 */
#ifndef VPROF_TOOLS_PRODUCE_H
#define VPROF_TOOLS_PRODUCE_H

#include "tools/output.h"
#include "tools/sink.h"

/*
 * Writes the whole of `trace`; `sink` stays open. `workers` 0: as many as there are
 * cores, within reason. 0 or a negative errno: -ENOMEM, or that of the write.
 */
int produce(struct trace *trace, const struct output *output, struct sink *sink, int workers);

#endif

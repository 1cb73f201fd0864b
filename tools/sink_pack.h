/*
 * sink_pack.h - inner part of sink.h: what the compressed forms need around the blocks.
 */
#ifndef VPROF_TOOLS_SINK_PACK_H
#define VPROF_TOOLS_SINK_PACK_H

#include "tools/sink.h"

int sink_write(struct sink *sink, const void *data, size_t size);
int sink_put_gzip_head(struct sink *sink);
int sink_put_gzip_tail(struct sink *sink);

#endif

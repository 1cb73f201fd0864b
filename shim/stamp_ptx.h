/*
 * stamp_ptx.h - our kernels, as the text that the driver compiles: nothing but the driver is needed to build.
 *
 * One thread each. A stamp stores %globaltimer when what it stands behind is over. With programmatic
 * launch control (sm_90) it is started early, waits, reads the clock, lets what follows start, and
 * stores only then: the store is nobody's time. The same below sm_90 without that. An early one lets what
 * follows start before it waits: a launch of the program's that is to overlap the kernel ahead does so.
 *
 * A twin's stamps find their place by its cell, in device memory:
 *
 *    0        8     16      20            24       28
 *   +--------+-----+-------+-------------+--------+------+
 *   | blocks | at  | count | block_count | stride | zero |   stride: u64s of a block
 *   +--------+-----+-------+-------------+--------+------+
 *
 * The begin takes the next block (at), makes its word 0 zero, and stores the clock in word 1; stamp `index`
 * goes to word 2 + index; the end stores the launch's number, from 1, in word 0: the block is whole.
 * Loads and stores are volatile: other grids write what they read, and the host reads what they store.
 */
#ifndef VPROF_SHIM_STAMP_PTX_H
#define VPROF_SHIM_STAMP_PTX_H

#define PTX_HEAD(version, target) ".version " version "\n.target " target "\n.address_size 64\n"
#define PTX_ENTRY(name, params)   ".visible .entry " name "(" params ")\n"
#define PTX_CLOCK                 "mov.u64 %t, %globaltimer;\n"
#define PTX_WAIT                  "griddepcontrol.wait;\n"
#define PTX_RELEASE               "griddepcontrol.launch_dependents;\n"

#define PTX_STAMP(name, wait, release)                                                          \
	PTX_ENTRY(name, ".param .u64 p_slot")                                                   \
	"{\n.reg .u64 %a, %t;\n"                                                                \
	"ld.param.u64 %a, [p_slot];\n"                                                          \
	wait PTX_CLOCK release                                                                  \
	"st.volatile.u64 [%a], %t;\nret;\n}\n"

/* `start` and `more`: what else it notes, when it starts; and stores, behind the stamp. */
#define PTX_TWIN_STAMP(name, start, wait, release, more)                                        \
	PTX_ENTRY(name, ".param .u64 p_cell, .param .u32 p_index")                              \
	"{\n.reg .u64 %a, %b, %o, %t;\n.reg .u32 %i;\n" start                                   \
	"ld.param.u64 %a, [p_cell];\nld.param.u32 %i, [p_index];\n"                             \
	wait PTX_CLOCK release                                                                  \
	"ld.volatile.u64 %a, [%a+8];\nmul.wide.u32 %o, %i, 8;\nadd.u64 %a, %a, %o;\n"           \
	"st.volatile.u64 [%a+16], %t;\n" more "ret;\n}\n"

#define PTX_COMMON                                                                              \
	PTX_STAMP("vprof_stamp_plain", "", "")                                                  \
	PTX_TWIN_STAMP("vprof_twin_stamp_plain", "", "", "", "")                                \
	PTX_ENTRY("vprof_nothing", "") "{ret;}\n"                                               \
	/* Does nothing; from when to when are stamps `index` and the one behind it. */         \
	PTX_ENTRY("vprof_gauge", ".param .u64 p_cell, .param .u32 p_index")                     \
	"{\n.reg .u64 %a, %b, %o, %t;\n.reg .u32 %i;\nmov.u64 %b, %globaltimer;\n"             \
	"ld.param.u64 %a, [p_cell];\nld.param.u32 %i, [p_index];\n"                             \
	"ld.volatile.u64 %a, [%a+8];\nmul.wide.u32 %o, %i, 8;\nadd.u64 %a, %a, %o;\n"          \
	"st.volatile.u64 [%a+16], %b;\n" PTX_CLOCK "st.volatile.u64 [%a+24], %t;\nret;\n}\n"   \
	/* Until (s32)(*go - want) >= 0, or for most_ns. */                                     \
	PTX_ENTRY("vprof_gate", ".param .u64 p_go, .param .u32 p_want, .param .u64 p_slot, .param .u32 p_most") \
	"{\n.reg .u64 %g, %a, %b, %t, %d, %m;\n.reg .u32 %w, %v;\n.reg .s32 %s;\n.reg .pred %p;\n" \
	"ld.param.u64 %g, [p_go];\nld.param.u32 %w, [p_want];\nld.param.u64 %a, [p_slot];\n"    \
	"ld.param.u32 %v, [p_most];\ncvt.u64.u32 %m, %v;\nmov.u64 %b, %globaltimer;\n"          \
	"AGAIN:\nld.volatile.u32 %v, [%g];\nsub.s32 %s, %v, %w;\nsetp.ge.s32 %p, %s, 0;\n"      \
	"@%p bra OPEN;\n" PTX_CLOCK "sub.u64 %d, %t, %b;\nsetp.lt.u64 %p, %d, %m;\n@%p bra AGAIN;\n" \
	"OPEN:\n" PTX_CLOCK "st.volatile.u64 [%a], %t;\nret;\n}\n"                              \
	PTX_ENTRY("vprof_twin_begin", ".param .u64 p_cell")                                     \
	"{\n.reg .u64 %c, %a, %o, %t, %z;\n.reg .u32 %n, %k, %s, %m;\n"                         \
	"ld.param.u64 %c, [p_cell];\nld.volatile.u64 %a, [%c];\nld.volatile.u32 %n, [%c+16];\n" \
	"ld.volatile.u32 %k, [%c+20];\nld.volatile.u32 %s, [%c+24];\n"                          \
	"rem.u32 %m, %n, %k;\nmul.wide.u32 %o, %m, %s;\nshl.b64 %o, %o, 3;\nadd.u64 %a, %a, %o;\n" \
	"add.u32 %n, %n, 1;\nst.volatile.u32 [%c+16], %n;\nst.volatile.u64 [%c+8], %a;\n"       \
	"mov.u64 %z, 0;\nst.volatile.u64 [%a], %z;\nmembar.sys;\n"                              \
	PTX_CLOCK "st.volatile.u64 [%a+8], %t;\nret;\n}\n"                                      \
	PTX_ENTRY("vprof_twin_end", ".param .u64 p_cell")                                       \
	"{\n.reg .u64 %c, %a, %n;\n.reg .u32 %k;\n"                                             \
	"ld.param.u64 %c, [p_cell];\nmembar.sys;\n"                                             \
	"ld.volatile.u64 %a, [%c+8];\nld.volatile.u32 %k, [%c+16];\ncvt.u64.u32 %n, %k;\n"      \
	"st.volatile.u64 [%a], %n;\nret;\n}\n"                                                  \
	/* Runs for ns, and says from when to when: what stamps cost is measured around it. */  \
	PTX_ENTRY("vprof_timed", ".param .u64 p_slot, .param .u32 p_ns")                        \
	"{\n.reg .u64 %a, %b, %t, %d, %m;\n.reg .u32 %v;\n.reg .pred %p;\n"                     \
	"mov.u64 %b, %globaltimer;\nld.param.u64 %a, [p_slot];\nld.param.u32 %v, [p_ns];\n"     \
	"cvt.u64.u32 %m, %v;\nst.volatile.u64 [%a], %b;\n"                                      \
	"AGAIN:\n" PTX_CLOCK "sub.u64 %d, %t, %b;\nsetp.lt.u64 %p, %d, %m;\n@%p bra AGAIN;\n"   \
	"st.volatile.u64 [%a+8], %t;\nret;\n}\n"

static const char vprof_ptx_programmatic[] =
	PTX_HEAD("8.0", "sm_90")
	PTX_STAMP("vprof_stamp", PTX_WAIT, PTX_RELEASE)
	PTX_STAMP("vprof_stamp_early", PTX_RELEASE PTX_WAIT, "")
	/* Stands behind an early stamp as a kernel of the program's does. */
	PTX_ENTRY("vprof_follower", "") "{" PTX_WAIT "ret;}\n"
	PTX_TWIN_STAMP("vprof_twin_stamp", "", PTX_WAIT, PTX_RELEASE, "")
	PTX_TWIN_STAMP("vprof_twin_stamp_started", "mov.u64 %b, %globaltimer;\n", PTX_WAIT, PTX_RELEASE,
		       "st.volatile.u64 [%a+24], %b;\n")
	PTX_COMMON;

static const char vprof_ptx_plain[] = PTX_HEAD("6.0", "sm_50") PTX_COMMON;

#endif

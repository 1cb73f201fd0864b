# vprof: `make help` lists the targets.

CC      ?= cc
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
ARCH    := $(shell $(CC) -dumpmachine | sed 's/-.*//')
VERSION := 0.1.0

WARN    := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wno-missing-field-initializers
CFLAGS  ?= -O2 -g
CSTD    := -std=gnu11 $(WARN) -D_GNU_SOURCE -DVPROF_VERSION='"$(VERSION)"' -I. -Iinclude -MMD -MP

# Quiet by default; V=1 shows the commands.
ifeq ($(V),)
  Q := @
  say = @printf '  %-7s %s\n' '$(1)' '$(2)'
else
  Q :=
  say = @:
endif

# ---- the library: libc only, nothing visible but what programs call -------
LIB_SRC    := $(wildcard preload/*.c shim/*.c) $(wildcard preload/*_$(ARCH).S)
LIB_CFLAGS := $(CSTD) $(CFLAGS) -fPIC -fvisibility=hidden -fno-semantic-interposition \
	-fno-asynchronous-unwind-tables -ffunction-sections
LIB_LDFLAGS := -shared -Wl,-soname,libvprof.so -Wl,-z,defs -Wl,-Bsymbolic -Wl,-z,now \
	-Wl,--hash-style=gnu -Wl,--gc-sections -Wl,-z,noseparate-code
LIB_OBJ    := $(patsubst %,$(BUILD)/lib/%.o,$(LIB_SRC))
# The same with testpoints, for the crash tests only.
TLIB_OBJ   := $(patsubst %,$(BUILD)/testlib/%.o,$(LIB_SRC))

# ---- the tools ------------------------------------------------------------
TOOL_SRC    := $(filter-out tools/main_%.c,$(wildcard tools/*.c))
TOOL_OBJ    := $(patsubst %,$(BUILD)/tools/%.o,$(TOOL_SRC))
TOOL_CFLAGS := $(CSTD) $(CFLAGS)
TOOL_LIBS   := -lzstd -lz -liberty -lpthread

all: $(BUILD)/libvprof.so $(BUILD)/vprof $(BUILD)/vprof-merge ## build the library and the tools (default)

$(BUILD)/lib/%.o: %
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/testlib/%.o: %
	$(call say,CC,$< (testpoints))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -DVPROF_TESTPOINTS -c $< -o $@

$(BUILD)/tools/%.o: %
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_CFLAGS) -c $< -o $@

$(BUILD)/libvprof.so: $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LIB_LDFLAGS) $^ -o $@

$(BUILD)/test/libvprof.so: $(TLIB_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LIB_LDFLAGS) $^ -o $@

$(BUILD)/vprof: $(BUILD)/tools/tools/main_vprof.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

$(BUILD)/vprof-merge: $(BUILD)/tools/tools/main_merge.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

# ---- tests: each folder's .mk adds what it builds and the tests it has ------
# TESTS: what prove runs (scripts, or programs under $(BUILD)). TEST_NEEDS: what must be built first.
TESTS      := $(sort $(wildcard tests/*/*.t))
TEST_NEEDS := all $(BUILD)/test/libvprof.so
GPU_TESTS  :=
include $(sort $(wildcard tests/*/*.mk))

# `make check T='tests/preload/*.t'` runs some.
T ?= $(TESTS)
check: $(TEST_NEEDS) ## build and run every test that needs no GPU
	$(Q)BUILD='$(BUILD)' CC='$(CC)' prove -j2 --timer $(T)

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@echo 'make TARGET [V=1] [BUILD=build] [PREFIX=/usr/local] [CC=cc]'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: all check clean help
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

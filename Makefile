# vprof: `make help` lists the targets.

# Targets named beside setup are made by a second make, which then finds what setup installed.
ifneq ($(filter setup,$(MAKECMDGOALS)),)
include setup/setup.mk
else

CC      ?= cc
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
VENV    ?= build/venv
ARCH    := $(shell $(CC) -dumpmachine | sed 's/-.*//')
VERSION := 0.1.0

WARN    := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wno-missing-field-initializers
CFLAGS  ?= -O2 -g
CSTD    := -std=gnu11 $(WARN) -D_GNU_SOURCE -DVPROF_VERSION='"$(VERSION)"' -I. -Iinclude -I$(BUILD) -MMD -MP

# Quiet by default; V=1 shows the commands.
ifeq ($(V),)
  Q := @
  say = @printf '  %-7s %s\n' '$(1)' '$(2)'
else
  Q :=
  say = @:
endif

# ---- the library: libc only, nothing visible but what programs call -------
# Linked first, so that what runs in every process is in one place (AT_LOAD).
LIB_FIRST  := $(patsubst %,preload/%.c,config elf environ fork nvtx_env word start lane)
LIB_SRC    := $(LIB_FIRST) $(filter-out $(LIB_FIRST),$(wildcard preload/*.c shim/*.c)) $(wildcard preload/*_$(ARCH).S)
LIB_CFLAGS := $(CSTD) $(CFLAGS) -fPIC -fvisibility=hidden -fno-semantic-interposition \
	-fasynchronous-unwind-tables -ffunction-sections
# No startfiles: what they do at load and at the end is for C++ and for dlclose().
LIB_LDFLAGS := -shared -nostartfiles -Wl,-soname,libvprof.so -Wl,-z,defs -Wl,-Bsymbolic-functions -Wl,-z,lazy \
	-Wl,--hash-style=gnu -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,nodelete
# libzstd for the spill: its static library where there is one, with nothing of it visible.
LIB_ZSTD   := $(filter /%,$(shell $(CC) -print-file-name=libzstd.a))
ifneq ($(LIB_ZSTD),)
LIB_CFLAGS  += -DVPROF_ZSTD
LIB_LDFLAGS += -Wl,--exclude-libs,libzstd.a
endif
LIB_OBJ    := $(patsubst %,$(BUILD)/lib/%.o,$(LIB_SRC))
# The same with testpoints, for the crash tests only.
TLIB_OBJ   := $(patsubst %,$(BUILD)/testlib/%.o,$(LIB_SRC))

# ---- the tools ------------------------------------------------------------
TOOL_SRC    := $(filter-out tools/main_%.c,$(wildcard tools/*.c))
TOOL_OBJ    := $(patsubst %,$(BUILD)/tools/%.o,$(TOOL_SRC))
TOOL_CFLAGS := $(CSTD) $(CFLAGS)
TOOL_LIBS   := -lelf -lzstd -llz4 -lz -liberty -lpthread -lm
# What opens a ring and reads it, for programs that need no more of the tools.
READER_SRC  := $(wildcard tools/ring*.c tools/spill*.c) tools/refuse.c tools/text.c

all: $(BUILD)/libvprof.so $(BUILD)/vprof $(BUILD)/vprof-merge ## build the library and the tools (default)

$(BUILD)/lib/%.o: %
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -c $< -o $@

$(BUILD)/testlib/%.o: %
	$(call say,CC,$< (testpoints))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) -DVPROF_TESTPOINTS -c $< -o $@

# The library's table as the tools may see it, who include nothing of shim/.
$(BUILD)/made/coverage.h: shim/cuda_api.def
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q){ echo '#define COVERAGE_ROWS \' && sed -n 's/^CU_[A-Z]*(.*)$$/& \\/p' $< && echo; } >$@
$(foreach kind,tools asan tsan fuzz,$(BUILD)/$(kind)/tools/cmd_coverage.c.o): $(BUILD)/made/coverage.h

# The scripts of tools/completion/ as strings.
$(BUILD)/made/completion_%.h: tools/completion/vprof.%
	$(call say,MAKE,$@)
	@mkdir -p $(@D)
	$(Q)sed 's/\\/&&/g; s/"/\\"/g; s/.*/"&\\n"/' $< >$@
$(foreach kind,tools asan tsan fuzz,$(BUILD)/$(kind)/tools/cmd_help.c.o): $(BUILD)/made/completion_bash.h $(BUILD)/made/completion_zsh.h

$(BUILD)/tools/%.o: %
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_CFLAGS) -c $< -o $@

$(BUILD)/libvprof.so: $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LIB_LDFLAGS) $^ $(LIB_ZSTD) -o $@

$(BUILD)/test/libvprof.so: $(TLIB_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LIB_LDFLAGS) $^ $(LIB_ZSTD) -o $@

$(BUILD)/vprof: $(BUILD)/tools/tools/main_vprof.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

$(BUILD)/vprof-merge: $(BUILD)/tools/tools/main_merge.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

# The fake driver is what the demo runs on where there is no GPU.
DEMO_NEEDS := $(BUILD)/demo_client $(BUILD)/fakecuda/libcuda.so.1

# ---- tests: each folder's .mk adds what it builds and the tests it has ------
# TESTS: what prove runs (scripts, or programs under $(BUILD)). TEST_NEEDS: what must be built first.
TESTS      := $(sort $(wildcard tests/*/*.t))
TEST_NEEDS := all $(BUILD)/test/libvprof.so
GPU_TESTS  :=
include $(sort $(wildcard tests/*/*.mk))

# `make check T='tests/preload/*.t'` runs some.
T ?= $(TESTS)
check: $(TEST_NEEDS) ## build and run every test that needs no GPU
	$(Q)BUILD='$(BUILD)' CC='$(CC)' prove -j2 --failures --comments --timer $(T)

$(BUILD)/demo_client: examples/demo_client.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

demo: all $(DEMO_NEEDS) ## trace a small CUDA program, kill a worker, merge: start here
	$(Q)BUILD='$(BUILD)' examples/demo.sh

picture: all $(DEMO_NEEDS) ## take docs/images/trace.png anew: the demo's trace in the Perfetto UI
	$(Q)BUILD='$(BUILD)' VENV='$(VENV)' tests/readers/picture.sh docs/images/trace.png

docs: $(BUILD)/vprof ## make docs/environment.md and docs/coverage.md anew from their tables
	$(Q)for page in environment coverage; do \
		BUILD='$(BUILD)' docs/$$page.sh >docs/$$page.md.new && mv docs/$$page.md.new docs/$$page.md || exit; \
	done

# ---- installing: `make install DESTDIR=...` builds packages ------------------
# Shells look for completions by the command's name.
COMPLETE_BASH := $(BUILD)/complete/vprof $(BUILD)/complete/vprof-merge
COMPLETE_ZSH  := $(BUILD)/complete/_vprof
$(COMPLETE_BASH): tools/completion/vprof.bash
$(COMPLETE_ZSH): tools/completion/vprof.zsh
$(COMPLETE_BASH) $(COMPLETE_ZSH):
	@mkdir -p $(@D)
	$(Q)cp $< $@

# FILE:FOLDER under PREFIX, for install and uninstall alike.
INSTALL_DATA := $(foreach f,$(wildcard include/vprof/*.h),$(f):include/vprof) \
	$(foreach f,$(wildcard docs/man/*.1),$(f):share/man/man1) \
	$(foreach f,$(wildcard docs/man/*.7),$(f):share/man/man7) \
	$(BUILD)/gpu/cupti_times.so:lib/vprof tools/gdb/vprof.py:share/vprof/gdb python/vprof.py:share/vprof/python $(BUILD)/libvprof.so:lib $(BUILD)/vprof.pc:lib/pkgconfig \
	$(COMPLETE_BASH:%=%:share/bash-completion/completions) $(COMPLETE_ZSH:%=%:share/zsh/site-functions)
INSTALL_BIN  := $(BUILD)/vprof:bin $(BUILD)/vprof-merge:bin
file = $(word 1,$(subst :, ,$(i)))
dest = $(DESTDIR)$(PREFIX)/$(word 2,$(subst :, ,$(i)))/$(notdir $(file))

$(BUILD)/vprof.pc: setup/vprof.pc.in
	@mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' $< >$@

# So that the loader knows the library by its name; a package's own scripts do that for DESTDIR.
RELOAD = $(Q)[ -n '$(DESTDIR)' ] || [ "$$(id -u)" != 0 ] || ldconfig

install: all $(COMPLETE_BASH) $(COMPLETE_ZSH) $(BUILD)/gpu/cupti_times.so ## put library, tools, headers, man pages, completions under PREFIX
	$(Q)rm -f $(BUILD)/vprof.pc
	$(Q)$(MAKE) --no-print-directory $(BUILD)/vprof.pc
	$(Q)$(foreach i,$(INSTALL_BIN),install -D -m 755 $(file) $(dest) &&) true
	$(Q)$(foreach i,$(INSTALL_DATA),install -D -m 644 $(file) $(dest) &&) true
	$(RELOAD)
	@echo '  to use  $(PREFIX)/bin/vprof run PROGRAM'

uninstall: ## remove what install put there
	rm -f $(foreach i,$(INSTALL_BIN) $(INSTALL_DATA),$(dest))
	-$(Q)rmdir $(DESTDIR)$(PREFIX)/include/vprof $(DESTDIR)$(PREFIX)/lib/vprof $(DESTDIR)$(PREFIX)/share/vprof/gdb \
		$(DESTDIR)$(PREFIX)/share/vprof/python $(DESTDIR)$(PREFIX)/share/vprof
	$(RELOAD)

clean: ## remove what was built (not build/venv, which setup made)
	$(Q)[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name venv -exec rm -rf {} +

help: ## this list
	@echo 'make TARGET... [OPTION=VALUE...]'
	@awk 'match($$0, /^[a-z][a-z-]*:.*## /) { \
		name = $$0; sub(/:.*/, "", name); sub(/^[^#]*## /, ""); printf "  %-19s %s\n", name, $$0 }' \
		setup/setup.mk $(MAKEFILE_LIST)
	@echo 'options'
	@awk 'match($$0, /^#: /) { sub(/^#: /, ""); name = $$1; sub(/^[^ ]* */, ""); printf "  %-19s %s\n", name, $$0 }' Makefile

#: V=1             show the commands
#: BUILD=build     folder for what is built
#: PREFIX=/usr/local  where install puts things
#: DESTDIR=        put before PREFIX, for packages
#: CC=cc           the compiler
#: CFLAGS=-O2      flags for it, in place of -O2 -g
#: T=FILES         check: only these tests

.PHONY: all check clean demo docs help install picture uninstall
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' -not -path '*/venv/*' 2>/dev/null)

endif

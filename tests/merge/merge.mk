TEST_NEEDS += $(BUILD)/tests/forge

$(BUILD)/tests/forge: $(patsubst %,$(BUILD)/tools/%.o,$(wildcard tests/merge/forge*.c))
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(filter %.o,$^) $(LDFLAGS) -o $@

TESTS += $(BUILD)/tests/merge_text
TEST_NEEDS += $(BUILD)/tests/merge_text

$(BUILD)/tests/merge_text: tests/merge/text.c tools/text.c tools/text.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) tests/merge/text.c tools/text.c -o $@

bench: $(BUILD)/tests/forge

# All of vprof-merge with the compilers' sanitizers, from objects as tests/tools/tools.mk makes them.
MERGE_ALL_SRC   := $(TOOL_SRC) tools/main_merge.c
MERGE_SANITIZED := $(BUILD)/asan/vprof-merge $(BUILD)/tsan/vprof-merge

$(BUILD)/asan/vprof-merge: $(patsubst %,$(BUILD)/asan/%.o,$(MERGE_ALL_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN_FLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

$(BUILD)/tsan/vprof-merge: $(patsubst %,$(BUILD)/tsan/%.o,$(MERGE_ALL_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(TSAN_FLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

TEST_NEEDS += $(MERGE_SANITIZED)

# The fuzz targets need clang with its runtime; fuzz.t says so where they are missing.
FUZZ_CC  ?= clang
FUZZ_SRC := $(TOOL_SRC)
FUZZ_OBJ := $(patsubst %,$(BUILD)/fuzz/%.o,$(FUZZ_SRC))
FUZZ_PROGRAMS := $(BUILD)/fuzz/fuzz_ring $(BUILD)/fuzz/fuzz_spill $(BUILD)/fuzz/fuzz_cubin
FUZZ_FLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_WORKS := $(shell mkdir -p $(BUILD) && echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' | \
	$(FUZZ_CC) -x c -fsanitize=fuzzer,address - -o $(BUILD)/fuzz_probe 2>/dev/null && echo yes)

$(BUILD)/fuzz/%.o: %
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(CSTD) -O1 -g $(FUZZ_FLAGS) -c $< -o $@

$(BUILD)/fuzz/fuzz_spill: $(BUILD)/fuzz/tests/tools/make_ring.c.o $(BUILD)/fuzz/tests/tools/make_ring_parts.c.o
$(FUZZ_PROGRAMS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.c.o $(FUZZ_OBJ)
	$(call say,LD,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

ifeq ($(FUZZ_WORKS),yes)
TEST_NEEDS += $(FUZZ_PROGRAMS)
endif

fuzz-corpus: $(BUILD)/tests/make_ring ## write the small rings that fuzzing starts from
	tests/fuzz/make_corpus $<

.PHONY: fuzz-corpus

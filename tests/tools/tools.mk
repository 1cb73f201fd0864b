# The readers as programs of their own: plain, and with the compilers' sanitizers.
#
# A test is tests/tools/NAME.c. TOOL_TESTS run plain and with ASan and UBSan;
# TOOL_THREAD_TESTS with TSan too.
TOOL_TESTS        := occupancy graph_model ring_read ring_bad clock_map cli_words live_read live_steps live_moment
TOOL_THREAD_TESTS := live_read

TOOL_TEST_SRC := $(READER_SRC) $(wildcard tools/cli*.c) tools/clock.c tools/inputs.c tools/occupancy.c tools/graphs.c \
	tools/records.c tools/process.c tools/info.c tests/tools/make_ring.c tests/tools/make_ring_parts.c
TOOL_TEST_FLAGS := $(CSTD) -O1 -g -fno-omit-frame-pointer
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN_FLAGS := -fsanitize=thread $(if $(findstring clang,$(CC)),,-Wno-tsan)

# One library of the readers for each way of building.
$(BUILD)/plain/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_TEST_FLAGS) -c $< -o $@
$(BUILD)/asan/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_TEST_FLAGS) $(ASAN_FLAGS) -c $< -o $@
$(BUILD)/tsan/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_TEST_FLAGS) $(TSAN_FLAGS) -c $< -o $@

$(BUILD)/plain/%.t: $(BUILD)/plain/tests/tools/%.c.o $(patsubst %,$(BUILD)/plain/%.o,$(TOOL_TEST_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $^ $(LDFLAGS) -lpthread -lm -lzstd -o $@
$(BUILD)/asan/%.t: $(BUILD)/asan/tests/tools/%.c.o $(patsubst %,$(BUILD)/asan/%.o,$(TOOL_TEST_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN_FLAGS) $^ $(LDFLAGS) -lpthread -lm -lzstd -o $@
$(BUILD)/tsan/%.t: $(BUILD)/tsan/tests/tools/%.c.o $(patsubst %,$(BUILD)/tsan/%.o,$(TOOL_TEST_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(TSAN_FLAGS) $^ $(LDFLAGS) -lpthread -lm -lzstd -o $@

TOOL_TEST_PROGRAMS := $(TOOL_TESTS:%=$(BUILD)/plain/%.t) $(TOOL_TESTS:%=$(BUILD)/asan/%.t) \
	$(TOOL_THREAD_TESTS:%=$(BUILD)/tsan/%.t)

# make_ring: rings for tests and benchmarks, see `make_ring --help`.
$(BUILD)/tests/make_ring: $(patsubst %,$(BUILD)/tools/%.o,$(wildcard tests/tools/make_ring*.c)) $(TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

TESTS      += $(TOOL_TEST_PROGRAMS)
TEST_NEEDS += $(TOOL_TEST_PROGRAMS) $(BUILD)/tests/make_ring
.SECONDARY:

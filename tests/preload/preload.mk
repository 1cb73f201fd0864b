# The recording half without CUDA, as programs of their own: plain and under sanitizers.
PRELOAD_NAMES := lanes holdings control
PRELOAD_PARTS := $(filter-out preload/lookup.c,$(wildcard preload/*.c)) $(READER_SRC)
# interrupts stops after each instruction, and a sanitizer would put its own between them.
PRELOAD_PLAIN := $(PRELOAD_NAMES:%=$(BUILD)/tests/%.t) $(BUILD)/tests/interrupts.t
PRELOAD_ASAN  := $(PRELOAD_NAMES:%=$(BUILD)/tests/%_asan.t)
PRELOAD_TSAN  := $(PRELOAD_NAMES:%=$(BUILD)/tests/%_tsan.t)
PRELOAD_TESTS := $(PRELOAD_PLAIN) $(PRELOAD_ASAN) $(PRELOAD_TSAN)

$(PRELOAD_PLAIN): SANITIZE :=
$(PRELOAD_ASAN): SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(PRELOAD_TSAN): SANITIZE := -fsanitize=thread -Wno-tsan
$(PRELOAD_PLAIN): $(BUILD)/tests/%.t: tests/preload/%.c
$(PRELOAD_ASAN): $(BUILD)/tests/%_asan.t: tests/preload/%.c
$(PRELOAD_TSAN): $(BUILD)/tests/%_tsan.t: tests/preload/%.c
$(PRELOAD_TESTS): $(PRELOAD_PARTS)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) -O1 -g -fno-omit-frame-pointer $(SANITIZE) -MF $@.d $(filter %.c,$^) -lpthread -lzstd -o $@

TESTS      += $(PRELOAD_TESTS)
TEST_NEEDS += $(PRELOAD_TESTS)

# The recording half without CUDA, as programs of their own: plain and under sanitizers.
LANES_SRC := tests/preload/lanes.c $(filter-out preload/lookup.c,$(wildcard preload/*.c)) \
	$(wildcard tools/ring*.c) tools/text.c
LANES := $(BUILD)/tests/lanes.t $(BUILD)/tests/lanes_asan.t $(BUILD)/tests/lanes_tsan.t
LANES_FLAGS := $(CSTD) -O1 -g -fno-omit-frame-pointer

$(BUILD)/tests/lanes.t: SANITIZE :=
$(BUILD)/tests/lanes_asan.t: SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(BUILD)/tests/lanes_tsan.t: SANITIZE := -fsanitize=thread -Wno-tsan
$(LANES): $(LANES_SRC)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LANES_FLAGS) $(SANITIZE) -MF $@.d $^ -lpthread -o $@

TESTS      += $(LANES)
TEST_NEEDS += $(LANES)

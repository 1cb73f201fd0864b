# The spill: a program whose launches can be told apart, and what is there of them.
SPILL_PROGRAMS := $(BUILD)/spill/loop $(BUILD)/spill/check

$(BUILD)/spill/loop: tests/spill/loop.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

$(BUILD)/spill/check: $(BUILD)/tools/tests/spill/check.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

SPILL_TESTS := $(BUILD)/spill/pack.t $(BUILD)/spill/pack_asan.t
$(BUILD)/spill/pack_asan.t: SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(SPILL_TESTS): tests/spill/pack.c preload/spill_pack.c preload/spill_codec.c tools/spill_unpack.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(if $(LIB_ZSTD),-DVPROF_ZSTD) -O1 -g $(SANITIZE) -MF $@.d $(filter %.c,$^) $(LDFLAGS) -lzstd -o $@

TESTS      += $(SPILL_TESTS)
TEST_NEEDS += $(SPILL_TESTS)
TEST_NEEDS += $(SPILL_PROGRAMS)
bench: $(SPILL_PROGRAMS)

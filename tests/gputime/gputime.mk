# Rings with times of a GPU, made by made.py, and a program that lists what the tools read from them: plain
# and with the compilers' sanitizers, from objects as tests/tools/tools.mk makes them.
GPUTIME_LIST := $(BUILD)/gputime/list $(BUILD)/asan/gputime_list

$(BUILD)/gputime/list: $(BUILD)/tools/tests/gputime/list.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

$(BUILD)/asan/gputime_list: $(BUILD)/asan/tests/gputime/list.c.o $(patsubst %,$(BUILD)/asan/%.o,$(TOOL_SRC))
	$(call say,LD,$@)
	$(Q)$(CC) $(ASAN_FLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

TEST_NEEDS += $(GPUTIME_LIST)

# Programs whose graphs are timed.
GPUTIME_CLIENTS := $(addprefix $(BUILD)/gputime/,client changes closes eager led parts room unfinished)

$(GPUTIME_CLIENTS): $(BUILD)/gputime/%: tests/gputime/%.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -ldl -lpthread -o $@

TEST_NEEDS += $(GPUTIME_CLIENTS)

# A disk that has gone bad under a ring.
$(BUILD)/gputime/unreadable.so: tests/gputime/unreadable.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -fPIC -shared -MF $@.d $< -o $@ $(LDFLAGS)

TEST_NEEDS += $(BUILD)/gputime/unreadable.so

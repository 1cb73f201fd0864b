# The software driver, its clients, and the test that holds it against a real one.
#
# A test selects it with LD_LIBRARY_PATH=$(BUILD)/fakecuda. The driver is
# linked -Bsymbolic, like the real one: its own calls do not go through a preload.

FAKE      := $(BUILD)/fakecuda
FAKE_SRC  := $(filter-out $(wildcard tests/fakecuda/client*.c tests/fakecuda/conformance*.c),$(wildcard tests/fakecuda/*.c))
FAKE_OBJ  := $(patsubst %,$(FAKE)/%.o,$(FAKE_SRC))
FAKE_CFLAGS := $(CSTD) $(CFLAGS) -fPIC -fvisibility=hidden

$(FAKE)/%.c.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(FAKE_CFLAGS) -c $< -o $@

$(FAKE)/libcuda.so.1: $(FAKE_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic -Wl,-z,defs $^ -lpthread -o $@

$(FAKE)/libcuda.so: $(FAKE)/libcuda.so.1
	$(Q)ln -sf libcuda.so.1 $@

TEST_NEEDS += $(FAKE)/libcuda.so.1 $(FAKE)/libcuda.so

# ---- the client: once without libcuda, once linked to it (--via plt) ----------
CLIENT_SRC := $(wildcard tests/fakecuda/client*.c)
CLIENT_OBJ := $(patsubst %,$(FAKE)/%.o,$(CLIENT_SRC))
CLIENT_PLT_OBJ := $(patsubst %,$(FAKE)/plt/%.o,$(CLIENT_SRC))

$(FAKE)/plt/%.c.o: %.c
	$(call say,CC,$< (plt))
	@mkdir -p $(@D)
	$(Q)$(CC) $(FAKE_CFLAGS) -DCLIENT_PLT -c $< -o $@

$(FAKE)/client: $(CLIENT_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ -ldl -lpthread -o $@

$(FAKE)/client-plt: $(CLIENT_PLT_OBJ) $(FAKE)/libcuda.so
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(CLIENT_PLT_OBJ) -L$(FAKE) -lcuda -lpthread -o $@

TEST_NEEDS += $(FAKE)/client $(FAKE)/client-plt

# ---- conformance: the same two ways; run on the fake driver by conformance.t ----
CONF_SRC := $(wildcard tests/fakecuda/conformance*.c)
CONF_OBJ := $(patsubst %,$(FAKE)/%.o,$(CONF_SRC))
CONF_PLT_OBJ := $(patsubst %,$(FAKE)/conf-plt/%.o,$(CONF_SRC))

$(FAKE)/conf-plt/%.c.o: %.c
	$(call say,CC,$< (plt))
	@mkdir -p $(@D)
	$(Q)$(CC) $(FAKE_CFLAGS) -DCONFORMANCE_PLT -c $< -o $@

$(FAKE)/conformance: $(CONF_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $^ -ldl -lpthread -o $@

$(FAKE)/conformance-plt: $(CONF_PLT_OBJ) $(FAKE)/libcuda.so
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(CONF_PLT_OBJ) -L$(FAKE) -lcuda -ldl -lpthread -o $@

TEST_NEEDS += $(FAKE)/conformance $(FAKE)/conformance-plt

# ---- exact: what stamps read, on the fake driver only; run by exact.t -------------
$(FAKE)/exact.o: tests/fakecuda/exact/exact.c
	$(call say,CC,$<)
	$(Q)$(CC) $(FAKE_CFLAGS) -c $< -o $@

$(FAKE)/exact: $(FAKE)/exact.o $(FAKE)/libcuda.so
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $< -L$(FAKE) -lcuda -o $@

TEST_NEEDS += $(FAKE)/exact

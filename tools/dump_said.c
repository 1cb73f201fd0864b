/*
 * dump_said.c - what the program said of itself, in a record's line: ranges, marks and counters.
 */
#include <string.h>
#include "tools/cli.h"
#include "tools/dump.h"
#include "tools/ranges.h"

enum { NAME_MOST = 4096 };

const char *dump_said_call(const struct vprof_slot *slot)
{
	static const char *const names[] = {
		[VPROF_KIND_RANGE] = "(range)", [VPROF_KIND_MARK] = "(mark)", [VPROF_KIND_TEXT] = "(text)",
		[VPROF_KIND_COUNTER] = "(counter)", [VPROF_KIND_RANGE_END] = "(range-end)",
	};

	return names[slot->kind];
}

static void payload_text(const struct vprof_slot *slot, char *text, size_t size)
{
	uint64_t payload = slot->range.payload;
	uint32_t half = (uint32_t)payload;
	double number;
	float small;

	memcpy(&number, &payload, sizeof(number));
	memcpy(&small, &half, sizeof(small));
	switch (slot->range.payload_type) {
	case VPROF_PAYLOAD_I64:
		snprintf(text, size, "%lld", (long long)payload);
		break;
	case VPROF_PAYLOAD_I32:
		snprintf(text, size, "%d", (int)half);
		break;
	case VPROF_PAYLOAD_F64:
		snprintf(text, size, "%.17g", number);
		break;
	case VPROF_PAYLOAD_F32:
		snprintf(text, size, "%.9g", (double)small);
		break;
	default:
		snprintf(text, size, "%llu", (unsigned long long)payload);
	}
}

static void flags_text(const struct vprof_slot *slot, char *text, size_t size)
{
	uint16_t flags = slot->range.flags;

	snprintf(text, size, "%s%s%s", flags & VPROF_RANGE_PROCESS ? ",process" : "",
		 flags & VPROF_RANGE_AGAIN ? ",again" : "", flags & VPROF_RANGE_CUT ? ",cut" : "");
}

static const char *domain_name(const struct dump_ring *dump, const struct vprof_slot *slot)
{
	const struct vprof_def_domain *domain = ring_def(dump->ring, slot->range.domain, VPROF_DEF_DOMAIN);

	return domain ? domain->name : NULL;
}

/* How a key and its value are written: ` key=value` or `,"key":"value"`. */
struct said_style {
	const char *key;
	void (*string)(FILE *out, const char *text);
	const char *quoted;  /* values that are no names: flags, and numbers that JSON may not know */
};

static void put_quoted(FILE *out, const struct said_style *style, const char *key, const char *text)
{
	fprintf(out, style->key, key);
	fprintf(out, style->quoted, text);
}

static void put_said(const struct dump_ring *dump, FILE *out, const struct record *record,
		     const struct said_style *style)
{
	const struct vprof_slot *slot = record->slot;
	const char *domain = domain_name(dump, slot);
	char text[NAME_MOST];

	range_text(dump->ring, record->chunk, record->index, text, sizeof(text));
	fprintf(out, style->key, "name");
	style->string(out, text);
	if (domain) {
		fprintf(out, style->key, "domain");
		style->string(out, domain);
	}
	if (slot->range.category) {
		fprintf(out, style->key, "category");
		fprintf(out, "%u", slot->range.category);
	}
	if (slot->range.flags & VPROF_RANGE_COLOR) {
		snprintf(text, sizeof(text), "0x%08x", slot->range.color);
		put_quoted(out, style, "color", text);
	}
	payload_text(slot, text, sizeof(text));
	if (slot->range.payload_type)
		put_quoted(out, style, "payload", text);
	flags_text(slot, text, sizeof(text));
	if (text[0])
		put_quoted(out, style, "flags", text + 1);
	if (slot->range.id) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)slot->range.id);
		put_quoted(out, style, "id", text);
	}
}

void dump_said_text(const struct dump_ring *dump, FILE *out, const struct record *record)
{
	static const struct said_style text = { " %s=", dump_word, "%s" };

	put_said(dump, out, record, &text);
}

/* Payloads are strings in JSON: they need not be numbers that it knows. */
void dump_said_json(const struct dump_ring *dump, FILE *out, const struct record *record)
{
	static const struct said_style json = { ",\"%s\":", cli_json_string, "\"%s\"" };

	put_said(dump, out, record, &json);
}

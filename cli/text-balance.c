/* SPDX-License-Identifier: MIT */
#include "cli/text-balance.h"

#include <inttypes.h>
#include <string.h>

enum column { ACQUIRED, GIVEN_BACK, HELD, LEFT, TAKEN_BACK, LATER, KEPT, COLUMNS };
#define CELL_SIZE 160

struct table {
	char name[KINDS][48];
	char cell[KINDS][COLUMNS][CELL_SIZE];
	size_t rows;
	int name_width, width[COLUMNS];
};

static const char *range_text(char buffer[THINGS_SIZE], uint64_t least, uint64_t most)
{
	char text[NUMBER_SIZE], other[NUMBER_SIZE];

	number_text(text, least);
	snprintf(buffer, THINGS_SIZE, "%s%s%s", text, least == most ? "" : " to ",
		least == most ? "" : number_text(other, most));
	return buffer;
}

static const char *things_word(uint32_t kind, uint64_t count)
{
	return count == 1 ? resource_kind(kind)->noun : resource_kind(kind)->plural;
}

const char *things_text(char buffer[THINGS_SIZE], uint32_t kind, struct tally tally)
{
	char number[NUMBER_SIZE], bytes[NUMBER_SIZE];

	number_text(number, tally.blocks);
	count_text(bytes, tally.bytes, "byte");
	snprintf(buffer, THINGS_SIZE, "%s %s%s%.80s%s", number, things_word(kind, tally.blocks),
		tally.bytes ? " (" : "", tally.bytes ? bytes : "", tally.bytes ? ")" : "");
	return buffer;
}

static bool kind_is_told(const struct leaks *leaks, const struct balance_sum *sum, uint32_t kind)
{
	return KINDS_HAS(leaks->kinds, kind) &&
	       (sum->acquired.blocks || sum->held.blocks || sum->left.blocks || sum->later.blocks);
}

void text_balance_start(
	struct text_balance *balance, const struct leaks *leaks, uint32_t generation)
{
	uint32_t kind;

	generation_sums(leaks, generation, balance->sums);
	for (kind = 0; kind < KINDS; kind++)
		balance->range[kind] = (struct acquired_range){
			balance->sums[kind].acquired.blocks,
			balance->sums[kind].acquired.blocks,
			balance->sums[kind].given_back.blocks,
			balance->sums[kind].given_back.blocks,
		};
}

static bool is_same(struct tally a, struct tally b)
{
	return a.blocks == b.blocks && a.bytes == b.bytes;
}

static bool left_the_same(const struct balance_sum *a, const struct balance_sum *b)
{
	return is_same(a->held, b->held) && is_same(a->left, b->left) &&
	       is_same(a->taken_back, b->taken_back) && is_same(a->later, b->later) &&
	       is_same(a->kept, b->kept);
}

bool text_balance_join(struct text_balance *balance, const struct leaks *leaks, uint32_t generation)
{
	struct balance_sum sums[KINDS];
	struct acquired_range *range;
	uint32_t kind;

	generation_sums(leaks, generation, sums);
	for (kind = 0; kind < KINDS; kind++)
		if (KINDS_HAS(leaks->kinds, kind) &&
			!left_the_same(&balance->sums[kind], &sums[kind]))
			return false;
	for (kind = 0; kind < KINDS; kind++) {
		range = &balance->range[kind];
		if (sums[kind].acquired.blocks < range->least)
			range->least = sums[kind].acquired.blocks;
		if (sums[kind].acquired.blocks > range->most)
			range->most = sums[kind].acquired.blocks;
		if (sums[kind].given_back.blocks < range->least_back)
			range->least_back = sums[kind].given_back.blocks;
		if (sums[kind].given_back.blocks > range->most_back)
			range->most_back = sums[kind].given_back.blocks;
		if (sums[kind].acquired.bytes > balance->sums[kind].acquired.bytes)
			balance->sums[kind].acquired.bytes = sums[kind].acquired.bytes;
	}
	return true;
}

void text_balance_of_module(struct text_balance *balance, const struct leaks_module *module)
{
	uint32_t kind;

	memcpy(balance->sums, module->sums, sizeof(balance->sums));
	for (kind = 0; kind < KINDS; kind++)
		balance->range[kind] = (struct acquired_range){
			module->sums[kind].acquired.blocks,
			module->sums[kind].acquired.blocks,
			module->sums[kind].given_back.blocks,
			module->sums[kind].given_back.blocks,
		};
}

size_t text_balance_lines(const struct text_balance *balance, const struct leaks *leaks)
{
	size_t lines = 0, things = 0;
	uint32_t kind;

	for (kind = 0; kind < KINDS; kind++) {
		lines += kind_is_told(leaks, &balance->sums[kind], kind);
		things +=
			kind < SESSION_RESOURCES && kind_is_told(leaks, &balance->sums[kind], kind);
	}
	/* What was asked for by its kind has no other line. */
	return things || leaks->kinds != KINDS_ALL ? lines : 0;
}

/* "2 left (8,192 bytes)" */
static void cell_set(struct table *table, enum column column, const char *number, uint64_t bytes,
	const char *words)
{
	char *cell = table->cell[table->rows][column], text[NUMBER_SIZE];
	int length;

	length = snprintf(cell, CELL_SIZE, "%.60s %s", number, words);
	if (bytes)
		length += snprintf(cell + length, CELL_SIZE - length, " (%.60s)",
			count_text(text, bytes, "byte"));
	if (length > table->width[column])
		table->width[column] = length;
}

static void count_set(
	struct table *table, enum column column, struct tally tally, const char *words)
{
	char text[NUMBER_SIZE];

	if (tally.blocks)
		cell_set(table, column, number_text(text, tally.blocks), tally.bytes, words);
}

static void row_add(struct table *table, const struct text_balance *balance, uint32_t kind)
{
	const struct balance_sum *sum = &balance->sums[kind];
	const struct acquired_range *range = &balance->range[kind];
	char text[THINGS_SIZE], words[64];
	bool bytes_follow = sum->held.blocks || sum->left.blocks;

	snprintf(table->name[table->rows], sizeof(table->name[0]),
		"%s:", kind == KIND_MEMORY ? "memory" : resource_kind(kind)->plural);
	if ((int)strlen(table->name[table->rows]) > table->name_width)
		table->name_width = strlen(table->name[table->rows]);
	if (range->most)
		cell_set(table, ACQUIRED, range_text(text, range->least, range->most),
			bytes_follow ? 0 : sum->acquired.bytes, "acquired");
	if (range->most_back)
		cell_set(table, GIVEN_BACK, range_text(text, range->least_back, range->most_back),
			0, "given back");
	count_set(table, HELD, sum->held, "in use");
	count_set(table, LEFT, sum->left, "left");
	snprintf(words, sizeof(words), "%s by relib",
		resource_kind(kind)->undone ? resource_kind(kind)->undone : "taken back");
	count_set(table, TAKEN_BACK, tally_of(sum->taken_back.blocks, 0), words);
	count_set(table, LATER, tally_of(sum->later.blocks, 0), "given back later");
	count_set(table, KEPT, tally_of(sum->kept.blocks, 0), "still referred to");
	table->rows++;
}

static enum ink cell_ink(const struct text_balance *balance, uint32_t kind, enum column column)
{
	if (column == LEFT && balance_residue(&balance->sums[kind]).blocks)
		return resource_kind(kind)->is_state ? INK_WARN : INK_BAD;
	return column == KEPT ? INK_WARN : INK_PLAIN;
}

static void row_print(const struct paper *paper, const struct table *table, size_t row,
	const struct text_balance *balance, uint32_t kind)
{
	int column, skipped = 0;
	bool first = true;

	paper_print(paper, INK_PLAIN, "    %-*s", table->name_width, table->name[row]);
	for (column = 0; column < COLUMNS; column++) {
		const char *cell = table->cell[row][column];

		/* the last ones are rare, and stand where there is room */
		if (column >= LATER)
			skipped = 0;
		if (!*cell) {
			skipped += table->width[column] ? table->width[column] + 2 : 0;
			continue;
		}
		/* the comma stands where one of the two blanks would be */
		paper_print(paper, INK_PLAIN, "%s%*s", first ? " " : ",", skipped + 1, "");
		paper_print(paper, cell_ink(balance, kind, column), "%s", cell);
		skipped = table->width[column] - (int)strlen(cell);
		first = false;
	}
	paper_print(paper, INK_PLAIN, "\n");
}

void text_balance_print(
	const struct paper *paper, const struct leaks *leaks, const struct text_balance *balance)
{
	struct table table = {0};
	uint32_t kinds[KINDS], kind;
	size_t row;

	for (kind = 0; kind < KINDS; kind++) {
		if (!kind_is_told(leaks, &balance->sums[kind], kind))
			continue;
		kinds[table.rows] = kind;
		row_add(&table, balance, kind);
	}
	for (row = 0; row < table.rows; row++)
		row_print(paper, &table, row, balance, kinds[row]);
}

/* "1 mapping (4,096 bytes)", "0 to 3 blocks (0 to 48 bytes; 1.5 on average)" */
static void growth_kind_print(
	const struct paper *paper, const struct growth *growth, uint32_t kind, bool first)
{
	const struct growth_kind *told = &growth->kinds[kind];
	bool varies = told->least.blocks != told->most.blocks;
	char text[THINGS_SIZE];

	paper_print(paper, INK_PLAIN, "%s", first ? "" : ", ");
	paper_print(paper, INK_BAD, "%s %s",
		range_text(text, told->least.blocks, told->most.blocks),
		things_word(kind, told->most.blocks));
	if (told->most.bytes)
		paper_print(paper, INK_PLAIN, " (%s byte%s",
			range_text(text, told->least.bytes, told->most.bytes),
			told->most.bytes == 1 ? "" : "s");
	if (varies)
		paper_print(paper, INK_PLAIN, "%s%.1f on average", told->most.bytes ? "; " : " (",
			(double)told->sum.blocks / growth->generations);
	if (varies || told->most.bytes)
		paper_print(paper, INK_PLAIN, ")");
}

void text_growth_print(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	const struct growth *growth = module->growth;
	bool said = false;
	uint32_t kind;

	if (!module->last_of_path || !growth->generations)
		return;
	paper_print(paper, INK_PLAIN, "  growth per reload: ");
	for (kind = 0; kind < KINDS; kind++) {
		if (!KINDS_HAS(leaks->kinds, kind) || !growth->kinds[kind].most.blocks)
			continue;
		growth_kind_print(paper, growth, kind, !said);
		said = true;
	}
	if (!said)
		paper_print(paper, INK_GOOD, "nothing");
	if (growth->blind && KINDS_HAS(leaks->kinds, KIND_MEMORY))
		paper_print(paper, INK_WARN, "; of memory it is not known");
	paper_print(paper, INK_PLAIN, "\n");
}

/* SPDX-License-Identifier: MIT */
/*
 * Sorting and searching of arrays of any type, without a call, since much of it
 * is done while the world stands still.
 */
#ifndef RELIB_SORTED_H
#define RELIB_SORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sorts the array's entries by a member (".start"), or by themselves (nothing). */
#define SORT(array, count, member)                                                                 \
	do {                                                                                       \
		for (size_t gap_ = (count) / 2; gap_; gap_ /= 2)                                   \
			for (size_t next_ = gap_; next_ < (count); next_++) {                      \
				__typeof__(*(array)) entry_ = (array)[next_];                      \
				size_t at_ = next_;                                                \
                                                                                                   \
				for (; at_ >= gap_ && (array)[at_ - gap_] member > entry_ member;  \
					at_ -= gap_)                                               \
					(array)[at_] = (array)[at_ - gap_];                        \
				(array)[at_] = entry_;                                             \
			}                                                                          \
	} while (0)

/* How many entries, from the first, the condition on entry i holds for; for none behind them. */
#define SORTED_COUNT(count, i, condition)                                                          \
	({                                                                                         \
		size_t from_ = 0, left_ = (count);                                                 \
                                                                                                   \
		while (left_) {                                                                    \
			size_t half_ = left_ / 2, i = from_ + half_;                               \
                                                                                                   \
			if (condition) {                                                           \
				from_ += half_ + 1;                                                \
				left_ -= half_ + 1;                                                \
			} else {                                                                   \
				left_ = half_;                                                     \
			}                                                                          \
		}                                                                                  \
		from_;                                                                             \
	})

static inline bool sorted_has(const uintptr_t *words, size_t count, uintptr_t word)
{
	size_t at = SORTED_COUNT(count, i, words[i] < word);

	return at < count && words[at] == word;
}

#endif

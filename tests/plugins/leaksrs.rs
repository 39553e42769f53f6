// SPDX-License-Identifier: MIT
// Leaks known amounts in the ways of Rust; marked as in leaks.c.

use std::hint::black_box;

#[no_mangle]
#[inline(never)]
pub extern "C" fn leak_box() {
    black_box(Box::leak(Box::new([7u64; 12]))); /* LEAK leak_box 1 96 */
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn leak_vec() {
    std::mem::forget(black_box(Vec::<u8>::with_capacity(321))); /* LEAK leak_vec 1 321 */
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn leak_zeroed() {
    std::mem::forget(black_box(vec![0u32; 100])); /* LEAK leak_zeroed 1 400 */
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn leak_nothing() {
    let mut all: Vec<String> = Vec::new();
    for i in 0..50 {
        all.push("x".repeat(i));
    }
    black_box(&all);
}

#[no_mangle]
pub extern "C" fn leak_all(number: i64) -> i64 {
    leak_box();
    leak_vec();
    leak_zeroed();
    leak_nothing();
    number
}

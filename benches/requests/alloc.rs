//! A global allocator that counts the allocations of each thread while counting is on.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

struct Counting;

/// Off while requests are timed, so that they only pay for this check.
static COUNTING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static COUNT: Cell<Allocated> = const { Cell::new(Allocated { calls: 0, bytes: 0, live: 0 }) };
}

/// The allocations of one thread so far. A reallocation counts as one, with its growth.
#[derive(Clone, Copy)]
pub(crate) struct Allocated {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
    /// Bytes allocated minus bytes freed.
    pub(crate) live: i64,
}

impl Allocated {
    /// What this thread has allocated while counting was on.
    pub(crate) fn now() -> Self {
        COUNT.get()
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            bytes: self.bytes - before.bytes,
            live: self.live - before.live,
        }
    }
}

/// Turns counting on or off, for all threads.
pub(crate) fn count(on: bool) {
    COUNTING.store(on, Ordering::Relaxed);
}

fn note(calls: u64, allocated: usize, freed: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        let mut count = COUNT.get();
        count.calls += calls;
        count.bytes += allocated as u64;
        count.live += allocated as i64 - freed as i64;
        COUNT.set(count);
    }
}

#[allow(unsafe_code, reason = "a global allocator requires it")]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, 0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (old, new) = (layout.size(), size);
        note(1, new.saturating_sub(old), old.saturating_sub(new));
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

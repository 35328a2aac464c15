#pragma once

/// Calls `body(context, piece)` for every piece in `0 ..< pieces`, on up to `threads` threads, the caller's among them.
///
/// A thread begins with the same part of the pieces in every call, from its first piece on, or from its last where the call is
/// reversed; then it steals from the other threads.
/// Threads are started when first needed, and spin for some 200 µs before they sleep: waking a sleeper costs 50–120 µs,
/// as much as a small kernel. A call from inside a body, or while another thread has the pool, runs on the caller alone.
void en_parallel(long pieces, long threads, int isReversed, void (*body)(void *context, long piece), void *context);

#pragma once

/// Calls `body(context, piece)` for every piece in `0 ..< pieces`, on up to `threads` threads, the caller's among them.
///
/// A thread has the same part of the pieces in every call, and takes others' only when it is through; it begins with the first
/// of them, or where the call is reversed with the last.
/// Threads are started when first needed, and spin for some 200 µs before they sleep: waking a sleeper costs 50–120 µs,
/// as much as many a kernel. A call from inside a body, or while another thread has the pool, runs on the caller alone.
void en_parallel(long pieces, long threads, int isReversed, void (*body)(void *context, long piece), void *context);

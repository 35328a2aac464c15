// Answers for the processor in a library that has no setting to keep it to AVX2.
//
// In a copy of that library each CPUID has become two bytes that are no instruction; what handles that signal answers as a
// processor would that has no AVX-512, AMX or AVX-VNNI.

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

static volatile int questions;

static void answer(int signal, siginfo_t *info, void *context) {
  (void)info;
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (memcmp((const void *)registers[REG_RIP], REPLACEMENT, sizeof REPLACEMENT - 1) != 0) {
    // Another's, to which it happens again with nobody to answer.
    sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, 0);
    return;
  }
  uint32_t leaf = registers[REG_RAX], part = registers[REG_RCX], a, b, c, d;
  __cpuid_count(leaf, part, a, b, c, d);
  if (leaf == 7 && part == 0) {
    questions++;
    // AVX512F, DQ, IFMA, PF, ER, CD, BW, VL; VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; 4VNNIW, 4FMAPS, VP2INTERSECT, AMX, FP16.
    b &= ~(1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31);
    c &= ~(1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14);
    d &= ~(1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25);
  } else if (leaf == 7) {
    a = b = c = d = 0;
  }
  registers[REG_RAX] = a, registers[REG_RBX] = b, registers[REG_RCX] = c, registers[REG_RDX] = d;
  registers[REG_RIP] += sizeof REPLACEMENT - 1;
}

/// Begins to answer; returns 0 where it can.
int begin_to_answer(void) { return sigaction(SIGILL, &(struct sigaction){.sa_sigaction = answer, .sa_flags = SA_SIGINFO}, 0); }

/// How often was asked for what the processor has.
int questions_answered(void) { return questions; }

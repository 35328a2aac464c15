#pragma once
#if __has_include(<mpi.h>)
#include <mpi.h>
#else
#error "The trait MPI needs MPI: apt-get install libopenmpi-dev openmpi-bin (Debian), brew install open-mpi (macOS)"
#endif
#include <stdlib.h>
#include <string.h>

// MPI's constants are macros, which Swift does not import, and its handles are of other types in other implementations: both stay here.
// Errors are MPI's own: it prints them and ends all ranks.

// Handles are values, which any thread may use.
#define EN_SENDABLE __attribute__((swift_attr("@Sendable")))

/// A group of ranks.
typedef struct EN_SENDABLE {
  MPI_Comm handle;
} en_mpi_group;

/// A message on its way.
typedef struct EN_SENDABLE {
  MPI_Request handle;
} en_mpi_message;

/// Begins; 1 where several threads may call MPI at once, 0 where one may.
static inline int en_mpi_begin(void) {
  int provided = 0, has_begun = 0;
  MPI_Initialized(&has_begun);
  if (has_begun) {
    MPI_Query_thread(&provided);
  } else {
    // As a target of puts, Open MPI's TCP uses one direction of a link at a time. By sends alone it uses both: a sum of 64 MiB between
    // two ranks over 1 Gbit/s takes 0.58 s, not 1.05 s. Who has set it keeps it.
    setenv("OMPI_MCA_btl_tcp_flags", "send", 0);
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided);
  }
  return provided == MPI_THREAD_MULTIPLE;
}

static inline void en_mpi_end(void) { MPI_Finalize(); }

static inline en_mpi_group en_mpi_world(void) { return (en_mpi_group){MPI_COMM_WORLD}; }

/// The same ranks, whose messages are apart.
static inline en_mpi_group en_mpi_duplicate(en_mpi_group group) {
  en_mpi_group result;
  MPI_Comm_dup(group.handle, &result.handle);
  return result;
}

static inline en_mpi_group en_mpi_split(en_mpi_group group, int colour, int rank) {
  en_mpi_group result;
  MPI_Comm_split(group.handle, colour, rank, &result.handle);
  return result;
}

/// The ranks of one machine.
static inline en_mpi_group en_mpi_split_by_machine(en_mpi_group group, int rank) {
  en_mpi_group result;
  MPI_Comm_split_type(group.handle, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &result.handle);
  return result;
}

static inline void en_mpi_free(en_mpi_group group) { MPI_Comm_free(&group.handle); }

static inline int en_mpi_rank(en_mpi_group group) {
  int rank = 0;
  MPI_Comm_rank(group.handle, &rank);
  return rank;
}

static inline int en_mpi_size(en_mpi_group group) {
  int size = 1;
  MPI_Comm_size(group.handle, &size);
  return size;
}

/// The name of this machine, of at most 255 characters.
static inline void en_mpi_host(char name[256]) {
  char whole[MPI_MAX_PROCESSOR_NAME + 1] = {0};
  int length = 0;
  MPI_Get_processor_name(whole, &length);
  strncpy(name, whole, 255);
  name[255] = 0;
}

static inline void en_mpi_sum_floats(en_mpi_group group, float *values, int count) {
  MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, group.handle);
}

static inline void en_mpi_sum_doubles(en_mpi_group group, double *values, int count) {
  MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, group.handle);
}

static inline void en_mpi_broadcast(en_mpi_group group, void *bytes, int count, int root) {
  MPI_Bcast(bytes, count, MPI_BYTE, root, group.handle);
}

static inline void en_mpi_barrier(en_mpi_group group) { MPI_Barrier(group.handle); }

/// Begins to wait for all ranks, which have come once it is sent.
static inline en_mpi_message en_mpi_begin_barrier(en_mpi_group group) {
  en_mpi_message message;
  MPI_Ibarrier(group.handle, &message.handle);
  return message;
}

static inline void en_mpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

/// Begins to send words, which must stay as they are until `en_mpi_is_sent`.
static inline en_mpi_message en_mpi_send(en_mpi_group group, const long long *words, int count, int to) {
  en_mpi_message message;
  MPI_Isend(words, count, MPI_LONG_LONG, to, 0, group.handle, &message.handle);
  return message;
}

static inline int en_mpi_is_sent(en_mpi_message *message) {
  int is_done = 0;
  MPI_Test(&message->handle, &is_done, MPI_STATUS_IGNORE);
  return is_done;
}

/// Receives words where some have come: the rank that sent them, -1 where none have.
static inline int en_mpi_receive(en_mpi_group group, long long *words, int count) {
  int has_come = 0;
  MPI_Status status;
  MPI_Iprobe(MPI_ANY_SOURCE, 0, group.handle, &has_come, &status);
  if (!has_come) return -1;
  MPI_Recv(words, count, MPI_LONG_LONG, status.MPI_SOURCE, 0, group.handle, MPI_STATUS_IGNORE);
  return status.MPI_SOURCE;
}

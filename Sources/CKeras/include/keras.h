#pragma once
#include <stddef.h>

// What Keras' weights take of HDF5: names and arrays of numbers, never more of them than the caller allows. Without the
// trait HDF5 none of it is there. HDF5 is not for several threads at once: the caller sees to that.

/// Why something was not read, in words.
typedef struct {
  char text[240];
} ck_error;

/// Names one after the other, each ended by a zero.
typedef struct {
  char *text;
  size_t length;
  long count;
} ck_names;

/// Opens a file to read, negative on failure. Links to other files, external data and filters from outside stay closed.
long long ck_open(const char *path, ck_error *error);
void ck_close(long long file);

/// 1 where there is a group, or an attribute of one; 0 where not.
int ck_has_group(long long file, const char *group);
int ck_has_attribute(long long file, const char *group, const char *attribute);

/// The names in an attribute of a group, or of the members of a group: at most `maximum`. 0 on failure; else to be freed.
int ck_attribute(long long file, const char *group, const char *attribute, long maximum, ck_names *names, ck_error *error);
int ck_members(long long file, const char *group, long maximum, ck_names *names, ck_error *error);
void ck_free(ck_names *names);

/// The extents of an array of numbers, at most 8. 0 on failure.
int ck_shape(long long file, const char *array, unsigned long long extents[8], int *rank, ck_error *error);
/// Its numbers, which the caller knows to be `count`. 0 on failure.
int ck_read(long long file, const char *array, size_t count, float *floats, double *doubles, ck_error *error);

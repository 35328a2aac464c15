#include "keras.h"

#ifdef HDF5

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { longest_name = 1024 };

static int say(ck_error *error, const char *text) {
  snprintf(error->text, sizeof error->text, "%s", text);
  return 0;
}

static herr_t take_description(unsigned depth, const H5E_error2_t *entry, void *text) {
  (void)depth;
  snprintf(text, sizeof((ck_error *)0)->text, "HDF5 says: %s", entry->desc ? entry->desc : "no reason");
  return 1;  // The innermost comes first, and is enough.
}

static int say_why(ck_error *error) {
  say(error, "HDF5 gives no reason");
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, error->text);
  return 0;
}

long long ck_open(const char *path, ck_error *error) {
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  // Else a file could have code loaded that unpacks it.
  H5PLset_loading_state(0);
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) say_why(error);
  return file;
}

void ck_close(long long file) { H5Fclose((hid_t)file); }

/// Whether each step of a path is in this file: a link to another file would open that.
static int is_inside(hid_t file, const char *path) {
  char step[2 * longest_name];
  const size_t length = strlen(path);
  if (length == 0 || length >= sizeof step) return 0;
  for (size_t end = 1; end <= length; end++) {
    if (path[end] != '/' && path[end] != 0) continue;
    memcpy(step, path, end);
    step[end] = 0;
    if (strcmp(step, "/") == 0) continue;
    H5L_info_t info;
    if (H5Lget_info(file, step, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD) return 0;
  }
  return 1;
}

static hid_t open_inside(hid_t file, const char *path, ck_error *error) {
  if (!is_inside(file, path)) {
    say(error, "is not there, or is a link");
    return -1;
  }
  const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
  if (object < 0) say_why(error);
  return object;
}

int ck_has_group(long long file, const char *group) {
  ck_error error;
  const hid_t object = open_inside((hid_t)file, group, &error);
  if (object < 0) return 0;
  const int is_group = H5Iget_type(object) == H5I_GROUP;
  H5Oclose(object);
  return is_group;
}

int ck_has_attribute(long long file, const char *group, const char *attribute) {
  ck_error error;
  const hid_t object = open_inside((hid_t)file, group, &error);
  if (object < 0) return 0;
  const int has = H5Aexists(object, attribute) > 0;
  H5Oclose(object);
  return has;
}

// MARK: Names

static int append(ck_names *names, const char *name, size_t length) {
  char *text = realloc(names->text, names->length + length + 1);
  if (text == NULL) return 0;
  memcpy(text + names->length, name, length);
  text[names->length + length] = 0;
  names->text = text;
  names->length += length + 1;
  names->count++;
  return 1;
}

void ck_free(ck_names *names) {
  free(names->text);
  *names = (ck_names){0};
}

/// `values` are `count` texts of `size` bytes, or pointers to texts where `size` is 0.
static int append_all(ck_names *names, const void *values, long count, size_t size) {
  for (long i = 0; i < count; i++) {
    const char *name = size ? (const char *)values + (size_t)i * size : ((char *const *)values)[i];
    const size_t length = name == NULL ? 0 : strnlen(name, size ? size : longest_name + 1);
    if (length == 0 || length > longest_name || !append(names, name, length)) return 0;
  }
  return 1;
}

static int read_names(hid_t attribute, long maximum, ck_names *names, ck_error *error) {
  int is_read = 0;
  const hid_t space = H5Aget_space(attribute), type = H5Aget_type(attribute);
  const long long count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  // Keras writes an empty list as one of numbers.
  if (count == 0) {
    is_read = 1;
  } else if (count < 0 || count > maximum) {
    say(error, "is a list of no possible length");
  } else if (type < 0 || H5Tget_class(type) != H5T_STRING) {
    say(error, "is no list of names");
  } else {
    const int is_variable = H5Tis_variable_str(type) > 0;
    const size_t size = is_variable ? 0 : H5Tget_size(type);
    if (!is_variable && (size == 0 || size > longest_name)) {
      say(error, "has names of no possible length");
    } else {
      void *values = calloc((size_t)count, is_variable ? sizeof(char *) : size);
      if (values == NULL) {
        say(error, "does not fit into memory");
      } else if (H5Aread(attribute, type, values) < 0) {
        say_why(error);
      } else {
        is_read = append_all(names, values, (long)count, size);
        if (!is_read) say(error, "has an empty or overlong name");
        if (is_variable) H5Dvlen_reclaim(type, space, H5P_DEFAULT, values);
      }
      free(values);
    }
  }
  if (type >= 0) H5Tclose(type);
  if (space >= 0) H5Sclose(space);
  return is_read;
}

int ck_attribute(
  long long file, const char *group, const char *attribute, long maximum, ck_names *names, ck_error *error) {
  *names = (ck_names){0};
  const hid_t object = open_inside((hid_t)file, group, error);
  if (object < 0) return 0;
  const hid_t found = H5Aopen(object, attribute, H5P_DEFAULT);
  int is_read = 0;
  if (found < 0) {
    say_why(error);
  } else {
    is_read = read_names(found, maximum, names, error);
    H5Aclose(found);
  }
  H5Oclose(object);
  if (!is_read) ck_free(names);
  return is_read;
}

int ck_members(long long file, const char *group, long maximum, ck_names *names, ck_error *error) {
  *names = (ck_names){0};
  const hid_t object = open_inside((hid_t)file, group, error);
  if (object < 0) return 0;
  H5G_info_t info;
  int is_read = H5Gget_info(object, &info) >= 0;
  if (!is_read) {
    say_why(error);
  } else if (info.nlinks > (hsize_t)maximum) {
    is_read = say(error, "has too many members");
  }
  for (hsize_t i = 0; is_read && i < info.nlinks; i++) {
    char name[longest_name + 1];
    const ssize_t length =
      H5Lget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
    is_read = length > 0 && length <= longest_name && append(names, name, (size_t)length);
    if (!is_read) say(error, "has a member without a possible name");
  }
  H5Oclose(object);
  if (!is_read) ck_free(names);
  return is_read;
}

// MARK: Numbers

/// Whether the numbers of an array are in the file itself, and unpacking a piece costs no more than the array or a megabyte.
static int is_bounded(hid_t array, hssize_t count, ck_error *error) {
  const hid_t plan = H5Dget_create_plist(array);
  if (plan < 0) return say_why(error);
  int is_bounded = 1;
  const H5D_layout_t layout = H5Pget_layout(plan);
  if (layout == H5D_CHUNKED) {
    hsize_t extents[8];
    const int rank = H5Pget_chunk(plan, 8, extents);
    double size = 1;
    for (int i = 0; i < rank && i < 8; i++) size *= (double)extents[i];
    if (rank < 0 || rank > 8 || size > (double)count + (1 << 18)) is_bounded = say(error, "is in pieces larger than itself");
  } else if ((layout != H5D_CONTIGUOUS && layout != H5D_COMPACT) || H5Pget_external_count(plan) != 0) {
    is_bounded = say(error, "has its numbers in another file");
  }
  H5Pclose(plan);
  return is_bounded;
}

/// Opens an array of numbers whose extents are told, negative on failure.
static hid_t open_array(hid_t file, const char *path, hsize_t extents[8], int *rank, ck_error *error) {
  const hid_t array = open_inside(file, path, error);
  if (array < 0) return -1;
  int is_good = 0;
  if (H5Iget_type(array) != H5I_DATASET) {
    say(error, "is no array");
  } else {
    const hid_t space = H5Dget_space(array), type = H5Dget_type(array);
    const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    *rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (kind != H5T_FLOAT && kind != H5T_INTEGER) {
      say(error, "holds no numbers");
    } else if (*rank < 0 || *rank > 8 || H5Sget_simple_extent_type(space) == H5S_NULL) {
      say(error, "has no shape of at most 8 axes");
    } else {
      H5Sget_simple_extent_dims(space, extents, NULL);
      is_good = is_bounded(array, H5Sget_simple_extent_npoints(space), error);
    }
    if (type >= 0) H5Tclose(type);
    if (space >= 0) H5Sclose(space);
  }
  if (is_good) return array;
  H5Oclose(array);
  return -1;
}

int ck_shape(long long file, const char *path, unsigned long long extents[8], int *rank, ck_error *error) {
  hsize_t found[8] = {0};
  const hid_t array = open_array((hid_t)file, path, found, rank, error);
  if (array < 0) return 0;
  for (int i = 0; i < *rank; i++) extents[i] = found[i];
  H5Oclose(array);
  return 1;
}

int ck_read(long long file, const char *path, size_t count, float *floats, double *doubles, ck_error *error) {
  hsize_t extents[8];
  int rank;
  const hid_t array = open_array((hid_t)file, path, extents, &rank, error);
  if (array < 0) return 0;
  size_t found = 1;
  for (int i = 0; i < rank; i++) found *= extents[i];
  int is_read = found == count;
  if (!is_read) {
    say(error, "has another shape than it had");
  } else if (
    H5Dread(
      array, floats ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
      floats ? (void *)floats : doubles) < 0) {
    is_read = say_why(error);
  }
  H5Oclose(array);
  return is_read;
}

#endif

#pragma once
#if __has_include(<hdf5.h>)
#include <hdf5.h>
#else
#error "The trait HDF5 needs HDF5: apt-get install libhdf5-dev (Debian), brew install hdf5 (macOS)"
#endif

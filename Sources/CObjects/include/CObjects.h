#pragma once

#include <stddef.h>

/// An object of the Swift class whose metadata `type` is, of `size` bytes: with a reference count of 1, its properties not initialized.
void *en_allocate_object(const void *type, size_t size);

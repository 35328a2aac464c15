#include "CObjects.h"

// Of Swift's runtime, whose ABI is stable; Swift itself may not declare it.
void *swift_allocObject(const void *type, size_t size, size_t alignmentMask);

void *en_allocate_object(const void *type, size_t size) { return swift_allocObject(type, size, 15); }

#pragma once

/// The number of processors of this process's affinity, which `taskset` and batch systems set; 0 where the system has none, or more
/// than 1,024.
long en_allowed_processors(void);

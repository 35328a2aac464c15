#pragma once
#include "multiversion.h"
#include "elementwise.h"

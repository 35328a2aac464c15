#pragma once
#include "multiversion.h"
#include "elementwise.h"
#include "movement.h"
#include "reductions.h"
#include "winograd.h"

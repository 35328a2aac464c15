#pragma once
#include "digits.h"
#include "pixels.h"

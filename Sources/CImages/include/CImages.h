#pragma once
#include "codecs.h"
#include "digits.h"
#include "pixels.h"

#pragma once
#include "changes.h"
#include "codecs.h"
#include "digits.h"
#include "pixels.h"
#include "resize.h"

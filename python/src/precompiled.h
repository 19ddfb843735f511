// Parsed once per build instead of once per file.
#pragma once

#include "bindings.h"

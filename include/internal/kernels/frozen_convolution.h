#pragma once
#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"

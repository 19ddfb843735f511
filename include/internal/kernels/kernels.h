#pragma once
#include "internal/kernels/attention.h"
#include "internal/kernels/convolution.h"
#include "internal/kernels/linear.h"
#include "internal/kernels/norm.h"

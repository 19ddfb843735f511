#pragma once
#include "sextant/metrics/accuracy.h"
#include "sextant/metrics/bootstrap.h"
#include "sextant/metrics/frechet.h"
#include "sextant/metrics/inception_score.h"
#include "sextant/metrics/kernel_distance.h"
#include "sextant/metrics/permutation.h"
#include "sextant/metrics/precision_recall.h"

// The words of guidance's settings, for options and for Python.
#pragma once

#include "internal/runtime/options.h"
#include "sextant/guidance/guide.h"
#include "sextant/guidance/score.h"

namespace sextant::guidance {

inline const Words<JensenShannonForm>& js_form_words() {
  static const Words<JensenShannonForm> kWords = {{"eq14", JensenShannonForm::kEquation14},
                                                  {"paper", JensenShannonForm::kPaper}};
  return kWords;
}

inline const Words<TiltForm>& tilt_form_words() {
  static const Words<TiltForm> kWords = {{"mean", TiltForm::kMeanPreserving}, {"sum", TiltForm::kSumToOne}};
  return kWords;
}

inline const Words<LambdaShape>& lambda_shape_words() {
  static const Words<LambdaShape> kWords = {
      {"linear", LambdaShape::kLinear}, {"cosine", LambdaShape::kCosine}, {"1-abar", LambdaShape::kNoise}};
  return kWords;
}

}  // namespace sextant::guidance

// Included before everything when clang-tidy reads this project. Clang does not compile libtorch 1.13 as C++20: its
// headers use std::vector of an incomplete type, which no longer works where libstdc++ makes the members of vector
// constexpr. Here they are not, which changes nothing that clang-tidy looks at.
#include <algorithm>
#include <memory>
#include <string>
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_a1_of_bits
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr

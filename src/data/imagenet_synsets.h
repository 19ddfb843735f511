// The classes of ImageNet by the ids of WordNet.
#pragma once

#include <string>
#include <vector>

namespace sextant::data {

/// "n01440764", ...: 1000 ids, sorted; a class's number is its place.
const std::vector<std::string>& imagenet_synsets();

}  // namespace sextant::data

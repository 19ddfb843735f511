// A store that is not waited for without end.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "meeting_store.h"

namespace sextant::distributed {

/// Carries out `work`, and returns false where it takes longer than `limit`: it then goes on in a thread of its own
/// until the process ends, so it must own all that it touches. Passes on what it throws.
bool within(std::chrono::milliseconds limit, std::function<void()> work);

/// What the processes of a job tell each other by a c10d::Store. One that stalls in the middle of a message, or while
/// it holds the lock of a store's file, blocks whoever asks the store next, for which libtorch has no time-out. Here
/// each answer is awaited for `patience` at most; afterwards, and from then on, std::runtime_error says that the store
/// is silent.
class PatientStore {
 public:
  PatientStore() = default;
  PatientStore(Store store, std::chrono::milliseconds patience) : store_(std::move(store)), patience_(patience) {}

  bool silent() const { return silent_; }
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

  void set(const std::string& key, const std::string& value);
  std::string get(const std::string& key);  ///< waits for it
  int64_t add(const std::string& key, int64_t value);
  bool check(const std::string& key);
  void wait(const std::vector<std::string>& keys, std::chrono::milliseconds timeout);

  /// Any other use of the store, as long as it may take.
  void use(std::chrono::milliseconds limit, std::function<void(const Store&)> work);

 private:
  template <class Answer>
  Answer ask(std::function<Answer(c10d::Store&)> question);

  Store store_;
  std::chrono::milliseconds patience_{0};
  bool silent_ = false;
};

}  // namespace sextant::distributed

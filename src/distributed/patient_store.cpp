#include "patient_store.h"

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace sextant::distributed {
namespace {

using std::chrono::milliseconds;

std::string text_of(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }
std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

bool within(milliseconds limit, std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  std::future<void> end = task.get_future();
  std::thread(std::move(task)).detach();
  if (end.wait_for(limit) != std::future_status::ready) return false;
  end.get();
  return true;
}

void PatientStore::use(milliseconds limit, std::function<void(const Store&)> work) {
  const auto in_time = [&] { return within(limit, [store = store_, work = std::move(work)] { work(store); }); };
  if (!silent_ && in_time()) return;
  silent_ = true;
  throw std::runtime_error("it does not answer");
}

template <class Answer>
Answer PatientStore::ask(std::function<Answer(c10d::Store&)> question) {
  const auto answer = std::make_shared<Answer>();
  use(patience_, [answer, question = std::move(question)](const Store& store) { *answer = question(*store); });
  return *answer;
}

void PatientStore::set(const std::string& key, const std::string& value) {
  use(patience_, [key, value](const Store& store) { store->set(key, bytes_of(value)); });
}

std::string PatientStore::get(const std::string& key) {
  return ask<std::string>([key](c10d::Store& store) { return text_of(store.get(key)); });
}

int64_t PatientStore::add(const std::string& key, int64_t value) {
  return ask<int64_t>([key, value](c10d::Store& store) { return store.add(key, value); });
}

bool PatientStore::check(const std::string& key) {
  return ask<bool>([key](c10d::Store& store) { return store.check({key}); });
}

void PatientStore::wait(const std::vector<std::string>& keys, milliseconds timeout) {
  // A store in a file counts whole seconds, and ends after one more.
  constexpr milliseconds kCounted(2000);
  use(timeout + patience_ + kCounted, [keys, timeout](const Store& store) { store->wait(keys, timeout); });
}

}  // namespace sextant::distributed

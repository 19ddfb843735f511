// What a test asks of the preloaded program: one command, as a process of its own.
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace sextant::cli::testing {

struct Request {
  std::string folder;  ///< in which it starts
  std::string out;     ///< the file of its standard output
  std::string err;     ///< that of its standard error
  rlim_t file_limit = RLIM_INFINITY;
  std::vector<std::string> words;  ///< the program's name first
  std::vector<std::string> environment;
};

/// All of `size` bytes; false where the other side is gone.
inline bool send_all(int socket, const void* data, std::size_t size) {
  for (const char* at = static_cast<const char*>(data); size > 0;) {
    const ssize_t sent = ::send(socket, at, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

inline bool receive_all(int socket, void* data, std::size_t size) {
  for (char* at = static_cast<char*>(data); size > 0;) {
    const ssize_t received = read(socket, at, size);
    if (received <= 0) return false;
    at += received;
    size -= static_cast<std::size_t>(received);
  }
  return true;
}

inline bool send_text(int socket, const std::string& text) {
  const std::size_t size = text.size();
  return send_all(socket, &size, sizeof size) && send_all(socket, text.data(), size);
}

inline bool receive_text(int socket, std::string& text) {
  std::size_t size = 0;
  if (!receive_all(socket, &size, sizeof size)) return false;
  text.resize(size);
  return receive_all(socket, text.data(), size);
}

inline bool send_texts(int socket, const std::vector<std::string>& texts) {
  const std::size_t count = texts.size();
  if (!send_all(socket, &count, sizeof count)) return false;
  for (const std::string& text : texts) {
    if (!send_text(socket, text)) return false;
  }
  return true;
}

inline bool receive_texts(int socket, std::vector<std::string>& texts) {
  std::size_t count = 0;
  if (!receive_all(socket, &count, sizeof count)) return false;
  texts.resize(count);
  for (std::string& text : texts) {
    if (!receive_text(socket, text)) return false;
  }
  return true;
}

inline bool send(int socket, const Request& request) {
  return send_text(socket, request.folder) && send_text(socket, request.out) && send_text(socket, request.err) &&
         send_all(socket, &request.file_limit, sizeof request.file_limit) && send_texts(socket, request.words) &&
         send_texts(socket, request.environment);
}

inline bool receive(int socket, Request& request) {
  return receive_text(socket, request.folder) && receive_text(socket, request.out) &&
         receive_text(socket, request.err) && receive_all(socket, &request.file_limit, sizeof request.file_limit) &&
         receive_texts(socket, request.words) && receive_texts(socket, request.environment);
}

}  // namespace sextant::cli::testing

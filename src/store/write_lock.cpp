#include "write_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

std::string holder(int fd) {
  std::array<char, 256> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::string name(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? "another process" : name;
}

std::string own_name() {
  std::array<char, 128> host{};
  ::gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(::getpid()) + " on " + host.data() + "\n";
}

bool still_named(int fd, const std::string& path) {
  struct stat mine {
  }, there{};
  return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino;
}

}  // namespace

WriteLock::WriteLock(const std::string& store, double seconds) : path_(store + ".lock") {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0)
      throw ResourceError("the lock '" + path_ + "' cannot be made: " + std::strerror(errno) +
                          "; the run folder must exist and be writable");
    const int result = ::flock(fd_, LOCK_EX | LOCK_NB);
    if (result != 0 && errno != EWOULDBLOCK) return;
    held_ = result == 0 && still_named(fd_, path_);
    if (held_) break;
    const std::string who = holder(fd_);
    ::close(fd_);
    if (Clock::now() >= end)
      throw InputError("the store '" + store + "' is being written by " + who +
                       "; wait until that run ends, or stop it");
    std::this_thread::sleep_for(std::chrono::milliseconds(result == 0 ? 1 : 50));
  }
  const std::string name = own_name();
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, name.data(), name.size(), 0) < 0) return;
}

std::string WriteLock::holder_of(const std::string& store) {
  const int fd = ::open((store + ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string who;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) who = holder(fd);
  ::close(fd);
  return who;
}

WriteLock::~WriteLock() {
  if (held_) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace atl

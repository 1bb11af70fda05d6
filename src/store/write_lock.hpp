// One process writes a store: an advisory lock (flock) on a small file beside it, which also says who holds
// it. The kernel lets go of it when the process dies, however it dies. On a file system without locks there
// is none, and the holder says so.
#pragma once

#include <string>

namespace atl {

class WriteLock {
 public:
  /// Waits up to `seconds` for another writer to go; then InputError that names it.
  WriteLock(const std::string& store, double seconds);
  ~WriteLock();
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;
  /// Who holds the lock of a store now; empty if nobody.
  static std::string holder_of(const std::string& store);
  /// False where the file system knows no locks.
  bool held() const { return held_; }

 private:
  std::string path_;
  int fd_ = -1;
  bool held_ = false;
};

}  // namespace atl

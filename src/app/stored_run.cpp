#include "atoll/app/stored_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "atoll/app/run_folder.hpp"
#include "atoll/base/files.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

// The readers of networks and accelerators take files, so the texts become files for a moment.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "atoll-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw ResourceError(fmt::format("cannot make a folder for temporary files, '{}': {}; set TMPDIR", name,
                                      std::strerror(errno)));
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::string store_path(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? RunFolder{path}.store() : path;
}

StoredRun open_stored_run(const std::string& path) {
  StoredRun stored;
  stored.reader = StoreReader::open(store_path(path));
  const StoreLayout& layout = stored.reader->summary().layout;
  const TemporaryFolder temporary;
  const RunFolder folder{temporary.path()};
  write_text_file_atomically(folder.config(), layout.config);
  write_text_file_atomically(folder.accelerator(), layout.accelerator);
  if (!layout.network.empty()) write_text_file_atomically(folder.network(), layout.network);
  stored.problem = load_run_folder(folder);
  return stored;
}

}  // namespace atl

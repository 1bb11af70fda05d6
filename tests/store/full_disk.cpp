// A disk that fills up, made with a limit of the file size: the failure is a ResourceError, what was
// committed stays good, and the run goes on when there is room again. In a child, because the limit holds for
// a whole process.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

const FakeSpace space{61, 0, 13, 40, 512, false};
constexpr std::uint32_t generations = 600;

void limit_files(rlim_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit { bytes, bytes };
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

/// Exit status: 0 if the store filled up as it should, and was still good and open to a reader in the same
/// process.
[[noreturn]] void fill_up(const std::string& path, const StoreLayout& layout, rlim_t bytes) {
  limit_files(bytes);
  std::uint64_t committed = 0;
  try {
    const auto writer = StoreWriter::create(path, layout);
    const auto refused = [&] {
      for (const BatchName& name : all_names(2, generations, 3)) {
        writer->append(fake_packed(layout, space, name));
        if (name.generation % 4 != 0) continue;
        writer->commit();
        committed = writer->committed_batches();
      }
      writer->seal();
    };
    if (message_of<ResourceError>(refused).empty()) ::_exit(2);
    if (StoreReader::open(path)->summary().batches < committed) ::_exit(3);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    ::_exit(4);
  }
  if (StoreReader::open(path)->summary().batches < committed || !verify_store(path).empty()) ::_exit(5);
  ::_exit(committed > 0 ? 0 : 6);
}

TEST(FullDisk, IsAResourceErrorAndLosesNothing) {
  const StoreLayout layout = fake_layout(space);
  const Folder folder;
  write_run(folder.file("whole.h5"), space, generations);
  const std::string expected = store_digest(folder.file("whole.h5"));
  for (const rlim_t megabytes : {5, 9, 13, 21}) {
    const std::string path = folder.file(std::to_string(megabytes) + ".h5");
    const pid_t child = ::fork();
    if (child == 0) fill_up(path, layout, megabytes << 20U);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 0) << megabytes;
    const auto writer = StoreWriter::reopen(path, layout);
    for (const BatchName& name : all_names(2, generations, 3))
      writer->append(fake_packed(layout, space, name));
    writer->seal();
    EXPECT_EQ(store_digest(path), expected);
  }
}

}  // namespace
}  // namespace atl::testing
